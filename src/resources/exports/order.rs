//! What file is asked for, and how it is made.

use actix_web::HttpRequest;

use super::{CSV, Export, ExportEncoding, ExportFormat, ExportNames, ExportShape, XLSX, tables::Table};
use crate::{
    db::{Db, Read},
    error::{Error, Result, Violation},
    language::Bilingual,
    request,
    resources::changes::snapshot::NDJSON,
    sheet::write::{About, Encoding, Form, Writer},
};

/// A file that was asked for.
pub(super) struct Order {
    table: &'static Table,
    form: Form,
    named: bool,
    to_fill: bool,
    name: String,
}

impl Order {
    pub(super) fn new(table: &'static Table, req: &HttpRequest, shape: &ExportShape, to_fill: bool) -> Result<Self> {
        let preferred = || {
            let by_accept = [
                (XLSX, ExportFormat::Xlsx),
                (NDJSON, ExportFormat::Lines),
                (CSV, ExportFormat::Csv),
            ];
            let mut preferred = by_accept
                .into_iter()
                .filter(|(media_type, _)| request::prefers(req, media_type));
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
            shape.bom && (!is_csv || cp932),
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
            ExportFormat::Csv => Form::Csv(Encoding::Utf8 { bom: shape.bom }),
            ExportFormat::Xlsx => Form::Xlsx,
            ExportFormat::Lines => Form::Lines,
        };
        Ok(Self {
            table,
            form,
            named: !is_lines && shape.names != Some(ExportNames::Code),
            to_fill,
            name: table.name.to_owned(),
        })
    }

    /// The same under another name.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// Writes the file: `rows` gives its rows, all of which see one state of the database.
    pub(super) async fn fill(
        self,
        db: &Db,
        rows: impl FnOnce(&mut Read<'_>, &mut Writer) -> Result<()> + Send + 'static,
    ) -> Result<Export> {
        let (table, form, named, to_fill) = (self.table, self.form.clone(), self.named, self.to_fill);
        let write = move |conn: &mut Read<'_>| {
            let about = About {
                title: table.title,
                facts: table.facts(to_fill),
                codes: (table.codes)(),
                to_fill,
            };
            let mut writer = Writer::new(&form, table.columns, named, about)?;
            rows(conn, &mut writer)?;
            Export::tagged(writer.finish()?)
        };
        let (file, tag, length) = db.gather(write).await?;
        Ok(Export {
            file,
            tag,
            length,
            form: self.form,
            name: self.name,
        })
    }
}
