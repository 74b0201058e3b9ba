//! What is wrong with what a program says.

use serde_json::Error;
use serde_json::error::Category;

/// What is wrong with some JSON. The parser's own words quote it, which nobody may do who may find a password there.
pub(crate) fn of(error: &Error, knows_secrets: bool) -> String {
    if !knows_secrets {
        return error.to_string();
    }
    let what = match error.classify() {
        Category::Data => "a field is missing, unknown or not what it has to be",
        Category::Eof => "it ends too early",
        Category::Syntax | Category::Io => "it is no JSON",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_password_is_not_quoted() {
        let error = serde_json::from_str::<String>("4711").unwrap_err();
        assert!(of(&error, false).contains("4711"), "{error}");
        let hidden = "a field is missing, unknown or not what it has to be, at line 1 column 4";
        assert_eq!(of(&error, true), hidden);
    }
}
