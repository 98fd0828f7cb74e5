//! Files that answers are written to before they are sent, within budgets: one for all callers and a share for each.
//!
//! A caller that asks for a file that is being sent already gets that file. A file that nobody is sent is deleted.

use std::{
    env,
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    sync::{Arc, Weak},
};

use actix_web::{HttpRequest, http::header::EntityTag, web};
use chrono::NaiveDate;
use parking_lot::Mutex;

use super::etag;
use crate::{
    auth::CallerKey,
    db::{
        PublicVersion,
        quota::{Holding, Quota},
    },
    error::{Error, Result},
};

/// The part of all bytes that one caller may have, as a divisor.
const OF_BYTES: usize = 2;
/// The part of all concurrent answers that one caller may have, as a divisor.
const OF_ANSWERS: usize = 4;
/// Bytes that are counted at a time, before they are written.
const STEP: usize = 64 << 10;

/// The files that exist, and the quotas for them.
#[derive(Clone)]
pub struct Files {
    bytes: Quota,
    answers: Quota,
    kept: Arc<Mutex<Vec<Weak<ExportFile>>>>,
}

impl Files {
    /// A store for so many bytes, and for so many answers that are made or sent at a time.
    #[must_use]
    pub fn new(bytes: usize, answers: usize) -> Self {
        Self {
            bytes: Quota::new(bytes, bytes / OF_BYTES),
            answers: Quota::new(answers, answers.div_ceil(OF_ANSWERS)),
            kept: Arc::default(),
        }
    }

    /// The store of the service that this request came to.
    pub fn of(req: &HttpRequest) -> Result<Self> {
        let files = req.app_data::<web::Data<Self>>();
        files
            .map(|files| files.get_ref().clone())
            .ok_or_else(|| Error::internal("no files configured"))
    }

    /// A place in the quota for an answer, until the answer is sent.
    pub fn answer(&self, caller: CallerKey) -> Result<Holding> {
        self.answers.take(caller, 1)
    }

    /// An empty file, for this caller.
    pub fn temporary(&self, caller: CallerKey) -> Result<Temporary> {
        Ok(Temporary {
            file: tempfile::tempfile().map_err(|e| Error::no_room(&e))?,
            caller,
            quota: self.bytes.clone(),
            held: Vec::new(),
        })
    }

    /// The file for this request, if it is being sent to somebody and its data `is_still` current.
    pub fn there(&self, known: &MadeFrom, is_still: impl Fn(PublicVersion) -> bool) -> Option<Arc<ExportFile>> {
        self.find(|kept| {
            let made_as = kept.known.as_ref();
            made_as.is_some_and(|made_as| made_as.is_as(known) && is_still(made_as.state))
        })
    }

    /// Finishes a file; returns instead a file with equal bytes, if there is one.
    pub fn keep(&self, file: Temporary, known: Option<MadeFrom>) -> Result<Arc<ExportFile>> {
        let Temporary { mut file, held, .. } = file;
        file.rewind().map_err(Error::internal)?;
        let (tag, length) = etag::of_file(&mut file).map_err(Error::internal)?;
        if let Some(same) = self.find(|kept| kept.tag == tag && kept.length == length) {
            return Ok(same);
        }
        let kept = Arc::new(ExportFile {
            file,
            tag,
            length,
            known,
            _held: held,
        });
        let mut all = self.kept.lock();
        all.retain(|kept| kept.strong_count() > 0);
        all.push(Arc::downgrade(&kept));
        Ok(kept)
    }

    fn find(&self, wanted: impl Fn(&ExportFile) -> bool) -> Option<Arc<ExportFile>> {
        let mut there = self.kept.lock().clone().into_iter();
        there.find_map(|kept| kept.upgrade().filter(|kept| wanted(kept)))
    }
}

/// Checks that a file can be written in the temporary directory, and warns if not.
pub fn look() {
    if let Err(e) = tempfile::tempfile().and_then(|mut file| file.write_all(&[0; 4096])) {
        let place = env::temp_dir();
        log::warn!(
            "exports get 503: no file can be written in {} (TMPDIR): {e}",
            place.display()
        );
    }
}

/// A file that is being written. It has no name, and is gone once it is closed.
pub struct Temporary {
    file: File,
    caller: CallerKey,
    quota: Quota,
    /// One holding for each step of the file's length.
    held: Vec<Holding>,
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let place = usize::try_from(self.file.stream_position()?).map_err(io::Error::other)?;
        while self.held.len() * STEP < place + bytes.len() {
            self.held
                .push(self.quota.take(self.caller, STEP).map_err(io::Error::other)?);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Temporary {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// What a public file was made for: the request, the version of public data, and the day.
#[derive(Debug, Clone)]
pub struct MadeFrom {
    /// The request.
    pub request: String,
    /// A version of public data that the file is not older than.
    pub state: PublicVersion,
    /// The day.
    pub day: NaiveDate,
}

impl MadeFrom {
    fn is_as(&self, asked: &Self) -> bool {
        self.request == asked.request && self.day == asked.day
    }
}

/// A finished file.
pub struct ExportFile {
    file: File,
    tag: EntityTag,
    length: u64,
    known: Option<MadeFrom>,
    _held: Vec<Holding>,
}

impl ExportFile {
    /// The entity tag of the file.
    #[must_use]
    pub const fn tag(&self) -> &EntityTag {
        &self.tag
    }

    /// How many bytes the file has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// At most so many bytes of the file, from an offset on.
    pub fn read(&self, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let read = self.file.read_at(&mut bytes, from)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::value::today;

    fn caller(n: u8) -> CallerKey {
        CallerKey::Address([192, 0, 2, n].into())
    }

    fn file(files: &Files, caller: CallerKey, bytes: &[u8]) -> Result<Temporary> {
        let mut file = files.temporary(caller)?;
        file.write_all(bytes).map_err(Error::unwritten)?;
        Ok(file)
    }

    #[test]
    fn bytes_are_bounded_for_each_caller_and_in_all_before_they_are_written() {
        let files = Files::new(4 * STEP, 100);
        let full = vec![7; STEP];
        let first = file(&files, caller(1), &full).unwrap();
        let second = file(&files, caller(1), &full).unwrap();
        let refused = file(&files, caller(1), &[1]);
        assert!(matches!(refused, Err(Error::TooMany { whose: "address", .. })));
        let third = file(&files, caller(2), &full).unwrap();
        let fourth = file(&files, caller(3), &full).unwrap();
        assert!(matches!(file(&files, caller(4), &[1]), Err(Error::Unavailable(_))));
        drop((second, third, fourth));
        let kept = files.keep(first, None).unwrap();
        assert_eq!(files.bytes.in_use(), STEP);
        drop(kept);
        assert_eq!(files.bytes.in_use(), 0);
    }

    #[test]
    fn what_is_written_again_counts_once() {
        let files = Files::new(1 << 20, 4);
        let mut file = file(&files, caller(1), &vec![b'a'; STEP]).unwrap();
        file.seek(SeekFrom::Start(1)).unwrap();
        file.write_all(b"BC").unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        assert_eq!(files.bytes.in_use(), STEP);
        file.write_all(b"g").unwrap();
        assert_eq!(files.bytes.in_use(), 2 * STEP);
        let kept = files.keep(file, None).unwrap();
        let end = u64::try_from(STEP).unwrap();
        assert_eq!(kept.length(), end + 1);
        assert_eq!(kept.read(0, 4).unwrap(), b"aBCa");
        assert_eq!(kept.read(end - 1, 100).unwrap(), b"ag");
    }

    #[test]
    fn the_same_file_is_there_once_while_somebody_has_it() {
        let files = Files::new(1 << 20, 4);
        let known = MadeFrom {
            request: "/v1/exports/results".to_owned(),
            state: PublicVersion::default(),
            day: today(),
        };
        let kept = files.keep(file(&files, caller(1), b"rows").unwrap(), Some(known.clone()));
        let kept = kept.unwrap();
        let found = files.there(&known, |_| true).unwrap();
        assert!(Arc::ptr_eq(&kept, &found));
        assert!(files.there(&known, |_| false).is_none());
        let other = MadeFrom {
            request: "/v1/exports/budgets".to_owned(),
            ..known.clone()
        };
        assert!(files.there(&other, |_| true).is_none());
        // Another caller made an equal file.
        let same = files.keep(file(&files, caller(2), b"rows").unwrap(), None).unwrap();
        assert!(Arc::ptr_eq(&kept, &same));
        assert_eq!(files.bytes.in_use(), STEP);
        drop((kept, found, same));
        assert!(files.there(&known, |_| true).is_none());
        assert_eq!(files.bytes.in_use(), 0);
    }
}
