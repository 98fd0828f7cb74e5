//! Files that answers are written to before they are sent: within a budget, in all and of each caller.
//!
//! Who asks for what somebody is being sent already gets the same file. A file is gone once nobody is sent it.

use std::{
    collections::HashMap,
    env,
    fs::File,
    io::{self, ErrorKind, Seek, SeekFrom, Write},
    net::IpAddr,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use actix_web::http::header::EntityTag;
use chrono::NaiveDate;

use crate::{
    db::PublicState,
    error::{Error, Result},
    etag,
    language::Bilingual,
    value::Id,
};

/// Of all the bytes there may be, the part that one caller may have.
const OF_BYTES: u64 = 2;
/// Of all the answers there may be at a time, the part that one caller may have.
const OF_ANSWERS: u64 = 4;
/// Bytes that are counted together, before they are written.
const STEP: u64 = 256 << 10;
/// How a system says that it has no room.
const NO_ROOM: [ErrorKind; 3] = [
    ErrorKind::StorageFull,
    ErrorKind::QuotaExceeded,
    ErrorKind::FileTooLarge,
];

/// Whose files are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// Whoever holds a token.
    Token(Id),
    /// Whoever calls from an address, without one.
    Address(IpAddr),
}

/// Why there is no room for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// The disk is full, or cannot be written.
    Disk,
    /// All callers' files take all there is.
    All,
    /// The caller's own files take all that one caller may have.
    Caller,
}

impl NoRoom {
    /// It in words.
    #[must_use]
    pub fn words(self) -> Bilingual {
        match self {
            Self::Disk => Bilingual::new(
                "サーバーのディスクに空きがないか、書き込めないため、ファイルを作成できません。しばらくしてからもう一度お試しください",
                "the server's disk has no room for the file, or cannot be written; try again later",
            ),
            Self::All => Bilingual::new(
                "ほかのファイルを送信中のため、ファイルを作成できません。しばらくしてからもう一度お試しください",
                "the files being sent leave no room for another one; try again later",
            ),
            Self::Caller => Bilingual::new(
                "同時に取得しているファイルが多すぎるか、大きすぎます。ほかの取得が終わってからもう一度お試しください",
                "too many files are being sent to you, or too large ones; try again when others have been read to their end",
            ),
        }
    }
}

/// How many files there may be.
#[derive(Clone)]
pub struct Files(Arc<Shared>);

struct Shared {
    most: Use,
    used: Mutex<Used>,
    kept: Mutex<Vec<Weak<Kept>>>,
}

#[derive(Default)]
struct Used {
    all: Use,
    by_caller: HashMap<Who, Use>,
}

/// What files take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Use {
    bytes: u64,
    answers: u64,
}

impl Use {
    fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            answers: self.answers + other.answers,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            answers: self.answers.saturating_sub(other.answers),
        }
    }

    fn is_within(self, most: Self) -> bool {
        self.bytes <= most.bytes && self.answers <= most.answers
    }
}

impl Files {
    /// So many bytes, and so many answers that are made or sent at a time.
    #[must_use]
    pub fn new(bytes: u64, answers: u64) -> Self {
        Self(Arc::new(Shared {
            most: Use { bytes, answers },
            used: Mutex::default(),
            kept: Mutex::default(),
        }))
    }

    /// A place for an answer, until it is sent.
    pub fn answer(&self, who: &Who) -> Result<Held> {
        self.hold(who, Use { bytes: 0, answers: 1 })
    }

    /// An empty file, for this caller.
    pub fn temporary(&self, who: &Who) -> Result<Temporary> {
        let held = self.hold(who, Use::default())?;
        let file = tempfile::tempfile().map_err(|e| full(&e))?;
        Ok(Temporary { file, end: 0, held })
    }

    fn hold(&self, who: &Who, taken: Use) -> Result<Held> {
        let mut held = Held {
            files: self.clone(),
            who: who.clone(),
            taken: Use::default(),
        };
        held.take(taken)?;
        Ok(held)
    }

    /// The file that is what was asked for, if somebody is being sent it, and what it was made of `is_still` so.
    pub fn there(&self, known: &Known, is_still: impl Fn(PublicState) -> bool) -> Option<Arc<Kept>> {
        self.find(|kept| {
            let made_as = kept.known.as_ref();
            made_as.is_some_and(|made_as| made_as.is_as(known) && is_still(made_as.state))
        })
    }

    /// A finished file; or the one that is the same, byte for byte, if there is one.
    pub fn keep(&self, file: Temporary, known: Option<Known>) -> Result<Arc<Kept>> {
        let Temporary { mut file, mut held, .. } = file;
        file.rewind().map_err(Error::internal)?;
        let (tag, length) = etag::of_file(&mut file).map_err(Error::internal)?;
        if let Some(same) = self.find(|kept| kept.tag == tag && kept.length == length) {
            return Ok(same);
        }
        held.settle(length);
        let kept = Arc::new(Kept {
            file,
            tag,
            length,
            known,
            _held: held,
        });
        let mut all = locked(&self.0.kept);
        all.retain(|kept| kept.strong_count() > 0);
        all.push(Arc::downgrade(&kept));
        Ok(kept)
    }

    fn find(&self, wanted: impl Fn(&Kept) -> bool) -> Option<Arc<Kept>> {
        let mut there = locked(&self.0.kept).clone().into_iter();
        there.find_map(|kept| kept.upgrade().filter(|kept| wanted(kept)))
    }
}

/// Looks whether a file can be written where files go, and says so if not.
pub fn look() {
    if let Err(e) = tempfile::tempfile().and_then(|mut file| file.write_all(&[0; 4096])) {
        let place = env::temp_dir();
        log::warn!(
            "exports get 503: no file can be written in {} (TMPDIR): {e}",
            place.display()
        );
    }
}

/// Why a file was not written.
pub fn unwritten(e: impl Into<io::Error>) -> Error {
    match e.into().downcast::<Error>() {
        Ok(e) => e,
        Err(e) if NO_ROOM.contains(&e.kind()) => full(&e),
        Err(e) => Error::internal(e),
    }
}

fn full(e: &io::Error) -> Error {
    log::error!("no file in {}: {e}", env::temp_dir().display());
    Error::NoRoom(NoRoom::Disk)
}

/// What somebody has of what there may be, until this is dropped.
pub struct Held {
    files: Files,
    who: Who,
    taken: Use,
}

impl Held {
    fn take(&mut self, more: Use) -> Result<()> {
        let most = self.files.0.most;
        let share = Use {
            bytes: most.bytes / OF_BYTES,
            answers: (most.answers / OF_ANSWERS).max(1),
        };
        let mut used = locked(&self.files.0.used);
        let all = used.all.plus(more);
        let theirs = used.by_caller.get(&self.who).copied().unwrap_or_default().plus(more);
        if !theirs.is_within(share) {
            return Err(Error::NoRoom(NoRoom::Caller));
        }
        if !all.is_within(most) {
            return Err(Error::NoRoom(NoRoom::All));
        }
        used.all = all;
        used.by_caller.insert(self.who.clone(), theirs);
        self.taken = self.taken.plus(more);
        Ok(())
    }

    fn give_back(&mut self, less: Use) {
        let mut used = locked(&self.files.0.used);
        used.all = used.all.minus(less);
        if let Some(theirs) = used.by_caller.get_mut(&self.who) {
            *theirs = theirs.minus(less);
            if *theirs == Use::default() {
                used.by_caller.remove(&self.who);
            }
        }
        self.taken = self.taken.minus(less);
    }

    /// Counts bytes up to this place, and perhaps some more.
    fn reach(&mut self, end: u64) -> Result<()> {
        match end.checked_sub(self.taken.bytes) {
            None | Some(0) => Ok(()),
            Some(missing) => self.take(Use {
                bytes: missing.next_multiple_of(STEP),
                answers: 0,
            }),
        }
    }

    /// Counts so many bytes and no more.
    fn settle(&mut self, bytes: u64) {
        let unused = self.taken.bytes.saturating_sub(bytes);
        self.give_back(Use {
            bytes: unused,
            answers: 0,
        });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back(self.taken);
    }
}

/// A file that is being written. It has no name, and is gone once it is closed.
pub struct Temporary {
    file: File,
    /// How far it was written.
    end: u64,
    held: Held,
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let place = self.file.stream_position()?;
        let end = place + u64::try_from(bytes.len()).map_err(io::Error::other)?;
        self.held.reach(end.max(self.end)).map_err(io::Error::other)?;
        let written = self.file.write(bytes)?;
        self.end = self.end.max(place + u64::try_from(written).map_err(io::Error::other)?);
        Ok(written)
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

/// What a file of the public was made as: for which request, of which state, on which day.
#[derive(Debug, Clone)]
pub struct Known {
    /// The request.
    pub request: String,
    /// A state that it is not older than.
    pub state: PublicState,
    /// The day.
    pub day: NaiveDate,
}

impl Known {
    fn is_as(&self, asked: &Self) -> bool {
        self.request == asked.request && self.day == asked.day
    }
}

/// A finished file.
pub struct Kept {
    file: File,
    tag: EntityTag,
    length: u64,
    known: Option<Known>,
    _held: Held,
}

impl Kept {
    /// Its tag.
    #[must_use]
    pub const fn tag(&self) -> &EntityTag {
        &self.tag
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// At most so many of its bytes, from a place on.
    pub fn read(&self, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let read = self.file.read_at(&mut bytes, from)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::value::today;

    fn caller(n: u8) -> Who {
        Who::Address([192, 0, 2, n].into())
    }

    fn why<T>(result: Result<T>) -> NoRoom {
        match result.err() {
            Some(Error::NoRoom(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    fn file(files: &Files, who: &Who, bytes: &[u8]) -> Result<Temporary> {
        let mut file = files.temporary(who)?;
        file.write_all(bytes).map_err(unwritten)?;
        Ok(file)
    }

    fn used(files: &Files) -> (Use, usize) {
        let used = locked(&files.0.used);
        (used.all, used.by_caller.len())
    }

    #[test]
    fn answers_are_bounded_for_each_caller_and_in_all() {
        let files = Files::new(1 << 20, 8);
        let mut held: Vec<Held> = (0..2).map(|_| files.answer(&caller(1)).unwrap()).collect();
        assert_eq!(why(files.answer(&caller(1))), NoRoom::Caller);
        for n in 2..5 {
            held.extend((0..2).map(|_| files.answer(&caller(n)).unwrap()));
        }
        assert_eq!(why(files.answer(&caller(5))), NoRoom::All);
        held.clear();
        assert_eq!(used(&files), (Use::default(), 0));
        files.answer(&caller(5)).unwrap();
    }

    #[test]
    fn bytes_are_bounded_for_each_caller_and_in_all_before_they_are_written() {
        let files = Files::new(4 * STEP, 100);
        let full = vec![7; usize::try_from(STEP).unwrap()];
        let first = file(&files, &caller(1), &full).unwrap();
        let second = file(&files, &caller(1), &full).unwrap();
        assert_eq!(why(file(&files, &caller(1), &[1])), NoRoom::Caller);
        let third = file(&files, &caller(2), &full).unwrap();
        let fourth = file(&files, &caller(3), &full).unwrap();
        assert_eq!(why(file(&files, &caller(4), &[1])), NoRoom::All);
        drop((second, third, fourth));
        // What is finished counts by its length.
        let kept = files.keep(first, None).unwrap();
        assert_eq!(used(&files).0.bytes, STEP);
        let small = file(&files, &caller(1), b"few").unwrap();
        let small = files.keep(small, None).unwrap();
        assert_eq!(used(&files).0.bytes, STEP + 3);
        drop((kept, small));
        assert_eq!(used(&files), (Use::default(), 0));
    }

    #[test]
    fn what_is_written_again_counts_once() {
        let files = Files::new(1 << 20, 4);
        let mut file = file(&files, &caller(1), b"abcdef").unwrap();
        file.seek(SeekFrom::Start(1)).unwrap();
        file.write_all(b"BC").unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b"g").unwrap();
        let kept = files.keep(file, None).unwrap();
        assert_eq!((kept.length(), kept.read(0, 100).unwrap()), (7, b"aBCdefg".to_vec()));
        assert_eq!(kept.read(5, 1).unwrap(), b"f");
        assert_eq!(used(&files).0.bytes, 7);
    }

    #[test]
    fn the_same_file_is_there_once_while_somebody_has_it() {
        let files = Files::new(1 << 20, 4);
        let known = Known {
            request: "/v1/exports/results".to_owned(),
            state: PublicState::default(),
            day: today(),
        };
        let kept = files.keep(file(&files, &caller(1), b"rows").unwrap(), Some(known.clone()));
        let kept = kept.unwrap();
        let found = files.there(&known, |_| true).unwrap();
        assert!(Arc::ptr_eq(&kept, &found));
        assert!(files.there(&known, |_| false).is_none());
        let other = Known {
            request: "/v1/exports/budgets".to_owned(),
            ..known.clone()
        };
        assert!(files.there(&other, |_| true).is_none());
        // Made once more, by somebody else.
        let same = files.keep(file(&files, &caller(2), b"rows").unwrap(), None).unwrap();
        assert!(Arc::ptr_eq(&kept, &same));
        assert_eq!(used(&files), (Use { bytes: 4, answers: 0 }, 1));
        drop((kept, found, same));
        assert!(files.there(&known, |_| true).is_none());
        assert_eq!(used(&files).0.bytes, 0);
    }
}
