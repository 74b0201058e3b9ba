//! Sets of words, as they stand in JSON.

/// An enum whose variants are words. What follows `else` stands for any word of a newer plugin when it is read, and for a
/// field that is missing; it is the last of them.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+
            else $(#[doc = $other_doc:literal])+ $other:ident = $other_text:literal,
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+
            $(#[doc = $other_doc])+
            #[default]
            #[serde(rename = $other_text, other)]
            $other,
        }

        impl $name {
            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::$other => $other_text,
                }
            }

            /// What the word stands for; `None` for one that the model does not have.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    $other_text => Some(Self::$other),
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(super) use words;

#[cfg(test)]
mod tests {
    use crate::model::{JobState, Run};

    #[test]
    fn a_word_is_the_same_in_json_and_by_itself() {
        for run in [Run::IdleAfterFailure, Run::Wedged, Run::Unknown] {
            let json = format!("\"{run}\"");
            assert_eq!(serde_json::to_string(&run).unwrap(), json);
            assert_eq!(serde_json::from_str::<Run>(&json).unwrap(), run);
            assert_eq!(Run::from_name(run.as_str()), Some(run));
        }
    }

    #[test]
    fn a_word_of_a_newer_plugin_does_no_harm_and_is_no_word_here() {
        assert_eq!(
            serde_json::from_str::<JobState>("\"vanished\"").unwrap(),
            JobState::Unknown
        );
        assert_eq!(JobState::from_name("vanished"), None);
        assert!(serde_json::from_str::<JobState>("7").is_err());
    }
}
