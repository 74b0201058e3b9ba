//! Mistakes in an instance's configuration that no schema shows.

use patchbay_abi::{Fault, FaultKind};

/// Says that a field of the configuration is not what it must be; at start this quarantines the instance.
///
/// ```
/// # use patchbay_sdk::wrong_field;
/// let fault = wrong_field("broker", "an address as `host:port`");
/// assert_eq!(fault.message, "the configuration field `broker` must be an address as `host:port`");
/// ```
pub fn wrong_field(field: &str, must_be: &str) -> Fault {
    let text = format!("the configuration field `{field}` must be {must_be}");
    Fault::new(FaultKind::Invalid, text)
}

/// Checks that a number of the configuration is from `least` to `most`, both included.
///
/// # Errors
/// `Invalid`, naming the field and its range.
///
/// ```
/// # use patchbay_sdk::field_within;
/// assert!(field_within("idle_s", 60, 1, 3600).is_ok());
/// let fault = field_within("idle_s", 0, 1, 3600).unwrap_err();
/// assert_eq!(fault.message, "the configuration field `idle_s` must be between 1 and 3600");
/// ```
pub fn field_within(field: &str, value: u64, least: u64, most: u64) -> Result<(), Fault> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false => Err(wrong_field(field, &format!("between {least} and {most}"))),
    }
}
