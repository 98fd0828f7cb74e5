//! The parts of an XLSX file: XML in a zip, read as a stream within a limit, whatever sizes the file claims.

use std::{
    borrow::Cow,
    io::{self, BufReader, Cursor, Read},
    ops::ControlFlow,
};

use quick_xml::{
    Reader, XmlVersion,
    errors::Error as XmlError,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use zip::{ZipArchive, result::ZipError};

use super::Note;
use crate::{sheet::table::refused, value::work};

/// Most bytes of all parts read, together.
const MOST_BYTES: u64 = 64 << 20;
/// Units of work for a step through a part: as many as for so many bytes.
const STEP: usize = 16;
/// The first bytes of a file of old Excel, or of one with a password.
const COMPOUND: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];

/// An XLSX file, open.
pub(super) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    /// How many bytes may still be read.
    left: u64,
}

impl<'b> Package<'b> {
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, Note> {
        if bytes.starts_with(COMPOUND) {
            return Err(refused(
                "not_xlsx",
                (1, 1),
                "古い形式（.xls）かパスワード付きのファイルです。パスワードなしの.xlsxにしてください",
                "is an old .xls file or has a password; an .xlsx file without one is needed",
            ));
        }
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_broken| refused("not_xlsx", (1, 1), "XLSXファイルではありません", "is no XLSX file"))?;
        Ok(Self {
            archive,
            left: MOST_BYTES,
        })
    }

    /// Goes through a part, step by step. Returns false if there is no such part.
    pub(super) fn walk(
        &mut self,
        name: &str,
        mut step: impl FnMut(Step<'_>) -> Result<(), Note>,
    ) -> Result<bool, Note> {
        self.walk_until(name, |it| step(it).map(|()| ControlFlow::Continue(())))
    }

    /// Goes through a part until a step ends it. Returns false if there is no such part.
    pub(super) fn walk_until(
        &mut self,
        name: &str,
        step: impl FnMut(Step<'_>) -> Result<ControlFlow<()>, Note>,
    ) -> Result<bool, Note> {
        let part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(false),
            Err(_) => return Err(unreadable(name)),
        };
        let bounded = Bounded {
            part,
            left: &mut self.left,
        };
        walk(name, BufReader::new(bounded), step)?;
        Ok(true)
    }
}

/// A step through a part.
pub(super) enum Step<'e> {
    /// An element begins.
    Open(Element<'e>),
    /// Text, as much as stands between two tags or references.
    Text(&'e str),
    /// The element of this name ends.
    Close(&'e str),
}

/// An element as it begins. Prefixes of namespaces do not count.
pub(super) struct Element<'e> {
    start: &'e BytesStart<'e>,
    part: &'e str,
}

impl Element<'_> {
    pub(super) fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    pub(super) fn attribute(&self, name: &str) -> Result<Option<Cow<'_, str>>, Note> {
        // Without the library's checks: they compare each attribute with every other one.
        for attribute in self.start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_broken| unreadable(self.part))?;
            if attribute.key.local_name().into_inner() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                return value.map(Some).map_err(|_broken| unreadable(self.part));
            }
        }
        Ok(None)
    }

    /// A Boolean attribute; false where it is missing.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Note> {
        let value = self.attribute(name)?;
        Ok(value.is_some_and(|value| value == "1" || value == "true"))
    }
}

/// The error that a part cannot be read.
pub(super) fn unreadable(part: &str) -> Note {
    refused(
        "not_xlsx",
        (1, 1),
        &format!("XLSXファイルとして読めません（{part}）"),
        &format!("cannot be read as an XLSX file ({part})"),
    )
}

fn walk(
    part: &str,
    xml: impl io::BufRead,
    mut step: impl FnMut(Step<'_>) -> Result<ControlFlow<()>, Note>,
) -> Result<(), Note> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        work::spend(STEP + buffer.len());
        buffer.clear();
        let flow = match reader.read_event_into(&mut buffer).map_err(|e| broken(part, &e))? {
            Event::Start(start) | Event::Empty(start) => step(Step::Open(Element { start: &start, part }))?,
            Event::End(end) => step(Step::Close(end.local_name().into_inner()))?,
            Event::Text(text) => step(Step::Text(&text.xml10_content()))?,
            Event::CData(text) => step(Step::Text(&text.xml10_content()))?,
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(c)) => step(Step::Text(c.encode_utf8(&mut [0; 4])))?,
                // Entities of a file's own could stand for anything.
                Ok(None) => match resolve_predefined_entity(&name) {
                    Some(text) => step(Step::Text(text))?,
                    None => return Err(unreadable(part)),
                },
                Err(_) => return Err(unreadable(part)),
            },
            Event::DocType(_) => return Err(unreadable(part)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => ControlFlow::Continue(()),
            Event::Eof => return Ok(()),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
}

fn broken(part: &str, error: &XmlError) -> Note {
    match error {
        XmlError::Io(e) if e.kind() == io::ErrorKind::FileTooLarge => {
            let mebibytes = MOST_BYTES >> 20;
            refused(
                "too_large",
                (1, 1),
                &format!("展開すると{mebibytes} MiBを超えます"),
                &format!("is more than {mebibytes} MiB when unpacked"),
            )
        }
        _ => unreadable(part),
    }
}

/// A part whose reading fails at the limit.
struct Bounded<'l, R> {
    part: R,
    left: &'l mut u64,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        let taken = u64::try_from(read).unwrap_or(u64::MAX);
        match self.left.checked_sub(taken) {
            Some(left) => *self.left = left,
            None => return Err(io::ErrorKind::FileTooLarge.into()),
        }
        Ok(read)
    }
}
