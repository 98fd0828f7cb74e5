//! How cells are shown. Dates and percentages are stored as bare numbers: only the number format tells them. What is struck
//! out or raised is so by the font.

use std::{collections::HashMap, sync::Arc};

use super::{
    Note,
    number_format::NumberFormat,
    package::{Package, Step, unreadable},
    strings::Marks,
};

/// Most cell formats, and most fonts; spreadsheets allow no more.
const MOST_FORMATS: usize = 65_536;
/// Most bytes of a format code: spreadsheets allow 255 characters.
const MOST_CODE: usize = 1_020;

/// How a cell is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Style {
    /// Its number format.
    pub(super) format: Arc<NumberFormat>,
    /// What its font makes of its content.
    pub(super) marks: Marks,
}

/// The styles of a workbook, by the style number of the cells.
#[derive(Debug, Default)]
pub(super) struct Styles(Vec<Style>);

impl Styles {
    pub(super) fn read(package: &mut Package<'_>, part: &str) -> Result<Self, Note> {
        let mut codes: HashMap<u32, Arc<NumberFormat>> = HashMap::new();
        let mut fonts: Vec<Marks> = Vec::new();
        // The numbers of format and font of every cell format.
        let mut cells: Vec<(u32, usize)> = Vec::new();
        let (mut in_codes, mut in_fonts, mut in_cells) = (false, false, false);
        package.walk(part, |step| {
            match step {
                Step::Open(element) => match element.name() {
                    "numFmts" => in_codes = true,
                    "fonts" => in_fonts = true,
                    "cellXfs" => in_cells = true,
                    "numFmt" if in_codes => {
                        let id = element.attribute("numFmtId")?.and_then(|id| id.parse().ok());
                        let code = element.attribute("formatCode")?.unwrap_or_default();
                        if code.len() > MOST_CODE {
                            return Err(unreadable(part));
                        }
                        codes.extend(id.map(|id| (id, NumberFormat::read(&code).into())));
                    }
                    "font" if in_fonts => fonts.push(Marks::default()),
                    "xf" if in_cells => {
                        let format = element.attribute("numFmtId")?.and_then(|id| id.parse().ok());
                        let font = element.attribute("fontId")?.and_then(|id| id.parse().ok());
                        cells.push((format.unwrap_or(0), font.unwrap_or(0)));
                    }
                    _ if in_fonts => {
                        if let Some(font) = fonts.last_mut() {
                            font.take(&element)?;
                        }
                    }
                    _ => {}
                },
                Step::Close("numFmts") => in_codes = false,
                Step::Close("fonts") => in_fonts = false,
                Step::Close("cellXfs") => in_cells = false,
                _ => {}
            }
            if [codes.len(), fonts.len(), cells.len()]
                .iter()
                .any(|it| *it > MOST_FORMATS)
            {
                return Err(unreadable(part));
            }
            Ok(())
        })?;
        let mut style = |(format, font): (u32, usize)| Style {
            format: Arc::clone(
                codes
                    .entry(format)
                    .or_insert_with(|| NumberFormat::read(built_in(format)).into()),
            ),
            marks: fonts.get(font).copied().unwrap_or_default(),
        };
        Ok(Self(cells.into_iter().map(&mut style).collect()))
    }

    /// How a cell of this style is shown.
    pub(super) fn of(&self, style: Option<usize>) -> Style {
        self.0.get(style.unwrap_or(0)).cloned().unwrap_or_default()
    }
}

/// The built-in formats, which files name by number alone; those of Japanese spreadsheets included.
fn built_in(id: u32) -> &'static str {
    match id {
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        5 | 6 => "¥#,##0;¥-#,##0",
        7 | 8 => "¥#,##0.00;¥-#,##0.00",
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        12 => "# ?/?",
        13 => "# ??/??",
        14..=17 | 22 | 27..=31 | 34..=36 | 50..=58 => "yyyy/m/d",
        18..=21 | 32 | 33 | 45..=47 => "h:mm",
        37 | 38 => "#,##0;-#,##0",
        39 | 40 => "#,##0.00;-#,##0.00",
        41 => "_ * #,##0_ ;_ * -#,##0_ ;_ * \"-\"_ ;_ @_ ",
        42 => "_ ¥* #,##0_ ;_ ¥* -#,##0_ ;_ ¥* \"-\"_ ;_ @_ ",
        43 => "_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * \"-\"??_ ;_ @_ ",
        44 => "_ ¥* #,##0.00_ ;_ ¥* -#,##0.00_ ;_ ¥* \"-\"??_ ;_ @_ ",
        48 => "##0.0E+0",
        49 => "@",
        _ => "General",
    }
}
