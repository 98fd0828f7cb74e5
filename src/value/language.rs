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
