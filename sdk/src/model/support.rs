//! How well a backend does an operation, as it says itself under `ops` in its `capabilities`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{OPS, find_op};
use crate::{Fault, FaultKind};

/// How well. What is said beside it is for people.
///
/// ```
/// use patchbay_sdk::model::Support;
///
/// fn support(op: &str) -> Support {
///     match op {
///         "submit" | "status" => Support::Native,
///         "pause" => Support::unsupported("this server cannot hold a script"),
///         _ => Support::unsupported("this server only runs scripts"),
///     }
/// }
///
/// let beforehand = serde_json::json!({ "ops": Support::of_all(support) });
/// assert_eq!(beforehand["ops"]["submit"], "native");
/// let refused = support("pause").refusal("pause");
/// assert_eq!(refused.message, "`pause` is not offered: this server cannot hold a script");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// By the server's own means.
    Native,
    /// The same; and what to know of it, such as on what it depends.
    #[serde(rename = "native")]
    NativeWith(Cow<'static, str>),
    /// By other means; which.
    Emulated(Cow<'static, str>),
    /// Not at all; why. Whoever asks for it is refused with the same reason.
    Unsupported(Cow<'static, str>),
}

impl Support {
    /// By the server's own means; what to know of it.
    ///
    /// ```
    /// # use patchbay_sdk::model::Support;
    /// let stop = Support::native_with("after the present step");
    /// let json = serde_json::to_value(&stop).unwrap();
    /// assert_eq!(json, serde_json::json!({ "native": "after the present step" }));
    /// ```
    pub fn native_with(note: impl Into<Cow<'static, str>>) -> Self {
        Self::NativeWith(note.into())
    }

    /// By other means; which.
    ///
    /// ```
    /// # use patchbay_sdk::model::Support;
    /// let find = Support::emulated("by comparing the text of what the server remembers");
    /// assert!(find.why_not().is_none(), "it is offered");
    /// ```
    pub fn emulated(how: impl Into<Cow<'static, str>>) -> Self {
        Self::Emulated(how.into())
    }

    /// Not at all; why.
    pub fn unsupported(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported(why.into())
    }

    /// Why not, if not.
    ///
    /// ```
    /// # use patchbay_sdk::model::Support;
    /// let pause = Support::unsupported("this server cannot hold a script");
    /// assert_eq!(pause.why_not(), Some("this server cannot hold a script"));
    /// ```
    #[must_use]
    pub fn why_not(&self) -> Option<&str> {
        match self {
            Self::Unsupported(why) => Some(why),
            Self::Native | Self::NativeWith(_) | Self::Emulated(_) => None,
        }
    }

    /// What whoever asks for that operation all the same is answered.
    #[must_use]
    pub fn refusal(&self, op: &str) -> Fault {
        let why = self.why_not().unwrap_or("this backend does not do it");
        let message = format!("`{op}` is not offered: {why}");
        Fault::new(FaultKind::Unsupported, message)
    }

    /// Every operation there is, with how well a backend does it. What the gateway does in every backend's place is
    /// asked of nobody.
    pub fn of_all(mut backend: impl FnMut(&str) -> Self) -> BTreeMap<&'static str, Self> {
        let of = |name| match find_op(name) {
            Some(op) if op.is_control() => Self::emulated("by the gateway, among its clients"),
            _ => backend(name),
        };
        let names = OPS.iter().map(|op| op.name);
        names.clone().zip(names.map(of)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_operation_is_there_and_control_is_the_gateways() {
        let all = Support::of_all(|op| match op {
            "finish" => Support::unsupported("no counts"),
            _ => Support::Native,
        });
        assert_eq!(all.len(), OPS.len());
        assert_eq!(all["finish"].why_not(), Some("no counts"));
        assert_eq!(all["submit"].why_not(), None);
        let by_gateway = json!({"emulated": "by the gateway, among its clients"});
        assert_eq!(json!(all["take_control"]), by_gateway);
        assert_eq!(json!(all["submit"]), json!("native"));
        let noted = Support::native_with("if there is a cache");
        assert_eq!(json!(noted), json!({"native": "if there is a cache"}));
        assert_eq!(json!(all["finish"]), json!({"unsupported": "no counts"}));
    }
}
