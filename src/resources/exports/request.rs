//! Which file is asked for, and how it is made.

use actix_web::HttpRequest;

use super::{Export, ExportEncoding, ExportFormat, ExportNames, ExportShape, columns::Columns, tables::Table};
use crate::{
    db::{Db, Read},
    error::{Error, Result, Violation},
    http::{
        files::{Files, MadeFrom, Temporary},
        media_type::{CSV, NDJSON, XLSX},
        negotiation,
    },
    sheet::write::{About, Encoding, Form, Writer},
    value::{language::Bilingual, today},
};

/// A file that was asked for.
pub(super) struct ExportRequest {
    files: Files,
    table: &'static Table,
    /// The places of its columns in the file; all of them if there are none.
    chosen: Option<Vec<usize>>,
    form: Form,
    named: bool,
    to_fill: bool,
    name: String,
    request: String,
}

impl ExportRequest {
    pub(super) fn new(table: &'static Table, req: &HttpRequest, shape: &ExportShape, to_fill: bool) -> Result<Self> {
        let preferred = || {
            let by_accept = [
                (XLSX, ExportFormat::Xlsx),
                (NDJSON, ExportFormat::Lines),
                (CSV, ExportFormat::Csv),
            ];
            let mut preferred = by_accept
                .into_iter()
                .filter(|(media_type, _)| negotiation::prefers(req, media_type));
            preferred.next().map(|(_, format)| format)
        };
        let default = if to_fill { ExportFormat::Xlsx } else { ExportFormat::Csv };
        let format = shape.format.or_else(preferred).unwrap_or(default);
        let mut broken = Vec::new();
        let mut belongs = |given: bool, name, ja, en| {
            if given {
                broken.push(Violation::of(name, "format", Bilingual::new(ja, en)));
            }
        };
        let is_csv = format == ExportFormat::Csv;
        belongs(
            shape.encoding.is_some() && !is_csv,
            "encoding",
            "CSVのときだけ指定できます",
            "belongs to CSV",
        );
        let cp932 = shape.encoding == Some(ExportEncoding::Cp932);
        belongs(
            shape.bom == Some(true) && (!is_csv || cp932),
            "bom",
            "UTF-8のCSVのときだけ指定できます",
            "belongs to CSV in UTF-8",
        );
        let is_lines = format == ExportFormat::Lines;
        belongs(
            is_lines && shape.names == Some(ExportNames::Japanese),
            "names",
            "NDJSONの見出しは常にコードです",
            "NDJSON always has codes",
        );
        belongs(
            is_lines && to_fill,
            "format",
            "記入用の表はCSVかXLSXです",
            "a sheet to fill in is CSV or XLSX",
        );
        if !broken.is_empty() {
            return Err(Error::Malformed(broken));
        }
        let form = match format {
            ExportFormat::Csv if cp932 => Form::Csv(Encoding::Cp932),
            ExportFormat::Csv => Form::Csv(Encoding::Utf8 {
                bom: shape.bom.unwrap_or(true),
            }),
            ExportFormat::Xlsx => Form::Xlsx,
            ExportFormat::Lines => Form::Lines,
        };
        let named = !is_lines && shape.names != Some(ExportNames::Code);
        Ok(Self {
            files: Files::of(req)?,
            table,
            chosen: None,
            to_fill,
            name: table.name.to_owned(),
            request: format!("{} {form:?} {named}", req.uri()),
            form,
            named,
        })
    }

    /// The order with some columns alone.
    pub(super) fn columns<T>(self, columns: Columns<T>) -> Self {
        let chosen = columns.places;
        Self { chosen, ..self }
    }

    /// The order with another file name.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// Gives the file: `rows` writes its rows, all from one state of the database. If an equal file is being sent
    /// already, that file is given.
    pub(super) async fn fill(
        self,
        db: &Db,
        rows: impl FnOnce(&mut Read<'_>, &mut Writer<Temporary>) -> Result<()> + Send + 'static,
    ) -> Result<Export> {
        let caller = db.context().caller_key();
        let place = self.files.answer(caller)?;
        let known = db.public_state().map(|state| MadeFrom {
            request: self.request,
            state,
            day: today(),
        });
        let there = {
            let (db, files) = (db.clone(), self.files.clone());
            move |known: Option<&MadeFrom>| files.there(known?, |state| db.is_still(state))
        };
        let file = if let Some(file) = there(known.as_ref()) {
            file
        } else {
            let (table, form, named, to_fill) = (self.table, self.form.clone(), self.named, self.to_fill);
            let chosen = self.chosen;
            let files = self.files;
            let write = move |conn: &mut Read<'_>| {
                // Another request, first in line, may have made the file.
                if let Some(file) = there(known.as_ref()) {
                    return Ok(file);
                }
                let about = About {
                    title: table.title,
                    facts: table.facts(to_fill),
                    codes: (table.codes)(),
                    printed: chosen.as_ref().map_or(table.printed, Vec::len),
                    to_fill,
                };
                let file = files.temporary(caller)?;
                let mut writer = Writer::new(&form, table.columns, chosen, named, &about, file)?;
                rows(conn, &mut writer)?;
                files.keep(writer.finish()?, known)
            };
            db.gather(write).await?
        };
        Ok(Export {
            file,
            place,
            form: self.form,
            name: self.name,
        })
    }
}
