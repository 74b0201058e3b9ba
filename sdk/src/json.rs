//! JSON that is passed on without being parsed.

use patchbay_abi::{Buffer, Fault, FaultKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;

/// One JSON value as text, shared rather than copied.
///
/// ```
/// # use patchbay_sdk::RawJson;
/// let json = RawJson::new(&vec![1, 2])?;
/// assert_eq!(json.get(), "[1,2]");
/// assert_eq!(json.parse::<Vec<u8>>()?, [1, 2]);
/// # Ok::<(), patchbay_sdk::Fault>(())
/// ```
#[derive(Clone)]
pub struct RawJson {
    text: Buffer,
}

impl RawJson {
    /// Writes a value.
    ///
    /// # Errors
    /// `Internal` if the value cannot be written as JSON (a map whose keys are no strings).
    pub fn new(value: &(impl Serialize + ?Sized)) -> Result<Self, Fault> {
        serde_json::to_vec(value)
            .map(|text| RawJson { text: text.into() })
            .map_err(|error| Fault::new(FaultKind::Internal, format!("no JSON: {error}")))
    }

    /// Takes text that is said to be JSON; checks it and removes newlines between its tokens.
    ///
    /// # Errors
    /// `Invalid` with the place where it is no JSON.
    pub fn from_string(text: String) -> Result<Self, Fault> {
        let text = match text.contains(['\n', '\r']) {
            true => serde_json::from_str::<serde_json::Value>(&text).map(|value| value.to_string()),
            false => RawValue::from_string(text).map(|raw| Box::<str>::from(raw).into()),
        };
        text.map(|text: String| RawJson { text: text.into() })
            .map_err(|error| Fault::new(FaultKind::Invalid, format!("no JSON: {error}")))
    }

    /// Takes text without looking at it. Its maker vouches for it: it is one JSON value with no newlines between its
    /// tokens. What it goes out in is refused by the host if it is none. No text at all is `null`.
    ///
    /// ```
    /// # use patchbay_sdk::RawJson;
    /// assert_eq!(RawJson::vouched(String::from("[1,2]")).get(), "[1,2]");
    /// ```
    pub fn vouched(text: impl Into<Buffer>) -> Self {
        RawJson::from_buffer(text.into())
    }

    /// `null`.
    pub fn null() -> Self {
        RawJson {
            text: Buffer::from("null".to_owned()),
        }
    }

    /// The text. (`null` in place of bytes that are not UTF-8, which the host lets nobody send.)
    pub fn get(&self) -> &str {
        self.text.as_str().unwrap_or("null")
    }

    /// Reads the value.
    ///
    /// # Errors
    /// `Invalid`, naming the field at fault.
    ///
    /// ```
    /// # use patchbay_sdk::RawJson;
    /// #[derive(serde::Deserialize, Debug)]
    /// struct Move { to: Vec<f64> }
    /// let wrong = RawJson::vouched(String::from(r#"{"to": [1, "x"]}"#));
    /// assert!(wrong.parse::<Move>().unwrap_err().message.starts_with("`to[1]`: invalid type"));
    /// ```
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.text).map_err(|error| {
            // Only who makes a mistake pays for looking where it is.
            let text = self
                .place_of_mistake::<T>()
                .map_or_else(|| error.to_string(), |place| format!("`{place}`: {error}"));
            Fault::new(FaultKind::Invalid, text)
        })
    }

    /// The field in which the value is no `T`, unless that is the whole, or is no JSON at all.
    fn place_of_mistake<T: DeserializeOwned>(&self) -> Option<String> {
        let mut reader = serde_json::Deserializer::from_slice(&self.text);
        let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
        let place = error.path();
        let is_known = error.inner().is_data() && place.iter().next().is_some();
        is_known.then(|| place.to_string())
    }

    pub(crate) fn from_buffer(text: Buffer) -> Self {
        match text.is_empty() {
            true => RawJson::null(),
            false => RawJson { text },
        }
    }

    pub(crate) fn into_buffer(self) -> Buffer {
        self.text
    }
}

/// As the value that it is; text that is none is an error.
impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.get()).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Whatever value stands there.
impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(RawJson::from)
    }
}

impl From<Box<RawValue>> for RawJson {
    fn from(raw: Box<RawValue>) -> Self {
        let text: Box<str> = raw.into();
        RawJson {
            text: text.into_string().replace(['\n', '\r'], " ").into(),
        }
    }
}

impl std::fmt::Debug for RawJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawJson({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newlines_between_tokens_go_and_those_in_strings_stay() {
        let json = RawJson::from_string("{\n \"a\\n\": [1,\r\n2]}".into()).unwrap();
        assert_eq!(json.get(), r#"{"a\n":[1,2]}"#);
    }

    #[test]
    fn within_another_value_it_is_what_it_is_and_no_json_is_an_error() {
        let vouched = |text: &str| RawJson::new(&[RawJson::vouched(text.to_owned())]);
        assert_eq!(vouched("{\"a\":1}").unwrap().get(), "[{\"a\":1}]");
        assert_eq!(vouched("{").unwrap_err().kind, FaultKind::Internal);
    }

    #[test]
    fn big_integers_pass_untouched() {
        let digits = "123456789012345678901234567890";
        assert_eq!(RawJson::from_string(digits.into()).unwrap().get(), digits);
    }
}
