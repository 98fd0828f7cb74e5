//! The elements of a page, by what they do to the text in them.

use html5ever::tokenizer::Tag;

/// The attribute of visible elements that are no part of the form.
const NOT_FORM: &str = "data-not-form";

/// The value of a tag's attribute, if the tag has it.
pub(super) fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    let mut attributes = tag.attrs.iter();
    attributes
        .find(|attribute| *attribute.name.local == *name)
        .map(|attribute| &*attribute.value)
}

/// Whether an element is not shown.
pub(super) fn is_hidden(tag: &Tag) -> bool {
    let attributes = tag.attrs.iter().any(|attribute| match &*attribute.name.local {
        "hidden" | NOT_FORM => true,
        "aria-hidden" => attribute.value.trim().eq_ignore_ascii_case("true"),
        _ => false,
    });
    attributes
        || styles(tag).any(|(name, value)| matches!((&*name, &*value), ("display", "none") | ("visibility", "hidden")))
}

/// Whether an element's text is struck out.
pub(super) fn is_struck(tag: &Tag) -> bool {
    matches!(&*tag.name, "s" | "del" | "strike")
        || styles(tag).any(|(name, value)| name.starts_with("text-decoration") && value.contains("line-through"))
}

/// Whether an element belongs to the page and not to what stands on it.
pub(super) fn is_furniture(tag: &Tag) -> bool {
    matches!(&*tag.name, "nav" | "footer" | "address")
        || attribute(tag, "role").is_some_and(|role| matches!(role.trim(), "navigation" | "contentinfo" | "search"))
}

/// The properties of a tag's `style`, in lower case.
fn styles(tag: &Tag) -> impl Iterator<Item = (String, String)> {
    let style = attribute(tag, "style").unwrap_or_default();
    style.split(';').filter_map(|property| {
        let (name, value) = property.split_once(':')?;
        let value = value.split('!').next().unwrap_or_default();
        Some((name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase()))
    })
}

/// Elements that show no text of the page.
pub(super) fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "template"
            | "title"
            | "noscript"
            | "iframe"
            | "noembed"
            | "noframes"
            | "textarea"
            | "select"
            | "svg"
    )
}

/// Parts of tables and lists.
pub(super) fn is_cell(name: &str) -> bool {
    matches!(
        name,
        "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "li"
    )
}

pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "ul"
    )
}
