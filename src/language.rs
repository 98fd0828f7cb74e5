//! The two languages of the service: every sentence it says exists in both.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language the service answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// 日本語, the default: the callers are departments of Osaka City.
    #[default]
    Japanese,
    /// English.
    English,
}

impl Language {
    /// The better of the two by an `Accept-Language` header; Japanese when it prefers neither.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Self {
        let weight = |tag: &str| {
            accept_language
                .split(',')
                .filter_map(|range| {
                    let mut parts = range.split(';').map(str::trim);
                    let name = parts.next()?.to_ascii_lowercase();
                    let q = parts
                        .find_map(|p| p.strip_prefix("q="))
                        .map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
                    (name.split('-').next() == Some(tag)).then_some(q)
                })
                .fold(0.0_f32, f32::max)
        };
        if weight("en") > weight("ja") {
            Self::English
        } else {
            Self::Japanese
        }
    }

    /// The language tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }
}

/// One sentence or label in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bilingual {
    /// Japanese.
    #[schema(max_length = 4000, example = "達成")]
    pub ja: String,
    /// English.
    #[schema(max_length = 4000, example = "achieved")]
    pub en: String,
}

impl Bilingual {
    /// Pairs the two wordings.
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            ja: ja.into(),
            en: en.into(),
        }
    }

    /// The wording in `language`.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Japanese => &self.ja,
            Language::English => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, English, Japanese};

    #[test]
    fn the_preferred_language_wins() {
        for (header, expected) in [
            ("", Japanese),
            ("en", English),
            ("en-GB,en;q=0.9", English),
            ("ja,en;q=0.8", Japanese),
            ("ja;q=0.5, en;q=0.8", English),
            ("fr", Japanese),
            ("en;q=0", Japanese),
            ("en;q=x", Japanese),
        ] {
            assert_eq!(Language::preferred(header), expected, "{header}");
        }
    }
}
