//! JSON as it arrives: numbers are exact, texts are composed, and no key occurs twice.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{
    sheet::decode::marked,
    value::{composed, work},
};

/// Under this key `serde_json` hands over a number whose digits are to be kept.
const NUMBER: &str = "$serde_json::private::Number";

/// Most characters of a number, and most digits of its exponent, since checking computes with all: no decimal has more.
const MOST_OF_A_NUMBER: usize = 100;
const MOST_OF_AN_EXPONENT: usize = 3;

/// How large a document may be. Checking takes time and memory by these numbers.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Keys and values; a thousand results have some 35,000.
    pub values: usize,
    /// Lists and objects within one another; a policy has 6.
    pub depth: usize,
}

impl Default for Most {
    fn default() -> Self {
        Self {
            values: 200_000,
            depth: 32,
        }
    }
}

/// The work of reading and checking one value, in units of about one byte looked at.
const VALUE: usize = 64;

/// Reads a document, in UTF-8, or in UTF-16 with a byte order mark. A key that stands twice in one object is an error: either
/// value could be the one that was meant.
pub fn read(bytes: &[u8], most: Most) -> serde_json::Result<Value> {
    let text = marked(bytes)
        .transpose()
        .map_err(|note| serde_json::Error::custom(note.detail.en))?;
    let left = Cell::new(most.values);
    let mut deserializer = serde_json::Deserializer::from_slice(text.as_deref().map_or(bytes, str::as_bytes));
    let reader = Reader {
        most,
        left: &left,
        depth: 0,
    };
    let document = reader.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(document)
}

/// Reads a value and what is in it, until the document has used up its number of keys and values.
#[derive(Clone, Copy)]
struct Reader<'a> {
    most: Most,
    left: &'a Cell<usize>,
    depth: usize,
}

impl Reader<'_> {
    /// Counts one more key or value.
    fn count<E: Error>(self) -> Result<(), E> {
        work::spend(VALUE);
        let refused = || E::custom(format!("more than {} keys and values", self.most.values));
        self.left.set(self.left.get().checked_sub(1).ok_or_else(refused)?);
        Ok(())
    }

    /// The reader for what is in a list or an object: one level deeper.
    fn within<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > self.most.depth {
            return Err(E::custom(format!("deeper than {} lists and objects", self.most.depth)));
        }
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        work::spend(value.len());
        Ok(Value::String(composed(value).into_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let within = self.within()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(within)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key == NUMBER {
                let digits: String = entries.next_value()?;
                check_length(&digits)?;
                return digits.parse::<Number>().map(Value::Number).map_err(A::Error::custom);
            }
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key `{key}`")));
            }
            self.count()?;
            work::spend(key.len());
            let value = entries.next_value_seed(self.within()?)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// Refuses a number that is too long to compute with.
fn check_length<E: Error>(number: &str) -> Result<(), E> {
    let exponent = number.split_once(['e', 'E']).map_or("", |(_, exponent)| exponent);
    let exponent = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
    if number.len() > MOST_OF_A_NUMBER || exponent.len() > MOST_OF_AN_EXPONENT {
        return Err(E::custom(format!(
            "a number of more than {MOST_OF_A_NUMBER} characters, or with an exponent of more than {MOST_OF_AN_EXPONENT} digits"
        )));
    }
    Ok(())
}

/// JSON Merge Patch (RFC 7396), for documents in which every key is always present. A removed key is left as null, so a
/// mistyped key is found whether the patch sets it or removes it.
pub fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

#[cfg(test)]
mod tests {
    use super::{Most, merge};
    use crate::value::work::counted;
    use serde_json::{Value, json};

    fn read(bytes: &[u8]) -> serde_json::Result<Value> {
        super::read(bytes, Most::default())
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["81.20", "0.1", "-0", "123456789012345.6789", "1e+2"] {
            assert_eq!(read(text.as_bytes()).ok().map(|v| v.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_document_may_begin_with_a_byte_order_mark() {
        let text = "{\"名称\":\"西区😀\"}";
        let utf16 = |bytes: fn(u16) -> [u8; 2]| "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes);
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf16(u16::to_le_bytes).collect(),
            utf16(u16::to_be_bytes).collect(),
        ] {
            assert_eq!(read(&bytes).ok(), Some(json!({ "名称": "西区😀" })), "{bytes:?}");
        }
        for broken in [
            &b"\xff\xfe{\0}"[..],
            b"\xfe\xff",
            b"\xef\xbb\xbf\xef\xbb\xbf{}",
            b"{\0}\0",
            b"{\"a\":\"\x90\xbc\"}",
        ] {
            assert!(read(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn texts_are_composed() {
        assert_eq!(
            read("[\"か\u{3099}\",\"か\\u3099\"]".as_bytes()).ok(),
            Some(json!(["が", "が"]))
        );
    }

    #[test]
    fn a_key_given_twice_is_refused_at_any_depth() {
        assert!(read(br#"{"a":1,"b":2}"#).is_ok());
        assert!(read(br#"{"a":1,"a":2}"#).is_err());
        assert!(read(br#"[{"a":{"b":null,"b":1}}]"#).is_err());
    }

    #[test]
    fn a_document_of_too_many_values_is_refused() {
        let list = |n: usize| format!("[{}1]", "1,".repeat(n - 1));
        assert!(read(list(Most::default().values - 1).as_bytes()).is_ok());
        assert!(read(list(Most::default().values + 1).as_bytes()).is_err());
        let commas = format!("{:?}", ",:[".repeat(Most::default().values));
        assert!(read(commas.as_bytes()).is_ok(), "a long text is one value");
    }

    #[test]
    fn a_number_too_long_to_compute_with_is_refused() {
        for (number, fits) in [
            ("9".repeat(100), true),
            ("9".repeat(101), false),
            ("1e999".to_owned(), true),
            ("-1E-0999".to_owned(), true),
            ("1e1000".to_owned(), false),
            ("1e+99999".to_owned(), false),
        ] {
            assert_eq!(read(number.as_bytes()).is_ok(), fits, "{number}");
        }
    }

    #[test]
    fn twice_the_document_is_twice_the_work() {
        let list = |item: &str, count: usize| format!("[{}0]", format!("{item},").repeat(count));
        let keys = |count: usize| {
            let keys: Vec<String> = (0..count).map(|n| format!("\"key number {n:9}\":0")).collect();
            format!("{{{}}}", keys.join(","))
        };
        for item in ["1", "[{}]", "\"long enough to count\"", "-1.25e+7", ""] {
            let work = |count| {
                let document = if item.is_empty() {
                    keys(count)
                } else {
                    list(item, count)
                };
                counted(|| assert!(read(document.as_bytes()).is_ok())).1
            };
            let (one, two) = (work(1_000), work(2_000));
            assert!((one * 19 / 10..=one * 21 / 10).contains(&two), "{one}, {two}");
        }
    }

    #[test]
    fn a_document_too_deep_is_refused() {
        let most = Most {
            depth: 3,
            ..Most::default()
        };
        for (text, fits) in [
            ("[[[1]]]", true),
            ("[[[[]]]]", false),
            (r#"{"a":[{"b":1}]}"#, true),
            (r#"{"a":[{"b":[]}]}"#, false),
        ] {
            assert_eq!(super::read(text.as_bytes(), most).is_ok(), fits, "{text}");
        }
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }

    /// The examples of RFC 7396, appendix A, with null for a removed key.
    #[test]
    fn patches_merge_as_the_standard_says() {
        for (target, patch, expected) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({"a":null})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"a":null,"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d","c":null}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b"}), json!({"a":"b"})),
        ] {
            let mut merged = target;
            merge(&mut merged, patch);
            assert_eq!(merged, expected);
        }
    }
}
