//! `pause` and `stop`.

use patchbay_abi::{Fault, FaultKind};
use serde::{Deserialize, Serialize};

/// The arguments of `pause` and `stop`.
///
/// ```
/// # use patchbay_sdk::model::args::{At, Point};
/// let at: At = serde_json::from_str(r#"{"at":"step"}"#)?;
/// assert_eq!(at.at, Some(Point::Step));
/// assert_eq!(At::default().to_pause().unwrap(), Point::Line);
/// assert_eq!(At::default().to_stop(), Point::Now);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// Where, if anybody minds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Point>,
}

/// Where a script is held or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Point {
    /// After the current line.
    Line,
    /// After the current step, such as of a scan.
    Step,
    /// Wherever it is.
    Now,
    /// At once, at any price; to stop only.
    Immediate,
}

impl At {
    /// Where to pause: by default after the current line.
    ///
    /// # Errors
    /// `Invalid` for `immediate`, which only stops.
    pub fn to_pause(self) -> Result<Point, Fault> {
        match self.at.unwrap_or(Point::Line) {
            Point::Immediate => Err(Fault::new(
                FaultKind::Invalid,
                "`pause`: `at` must be `line`, `step` or `now`",
            )),
            point => Ok(point),
        }
    }

    /// Where to stop: by default wherever it is.
    #[must_use]
    pub fn to_stop(self) -> Point {
        self.at.unwrap_or(Point::Now)
    }
}
