//! What a viewer wants to see.

use super::{Moment, What};
use serde::{Deserialize, Serialize};

/// What a viewer wants to see; what is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only this client; of events those that are for it alone.
    pub session: Option<u64>,
    /// Only this operation, or events of this kind.
    pub op: Option<String>,
    /// Only what concerns this backend.
    pub backend: Option<String>,
    /// Only what concerns this frontend; of events those that are for one of its clients alone.
    pub frontend: Option<String>,
    /// Requests and their answers.
    pub requests: bool,
    /// Events.
    pub events: bool,
    /// Of each body, so many bytes.
    pub bodies: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            session: None,
            op: None,
            backend: None,
            frontend: None,
            requests: true,
            events: true,
            bodies: 200,
        }
    }
}

impl Filter {
    pub(super) fn fits(&self, moment: &Moment<'_>) -> bool {
        let is =
            |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let wanted = match moment.what {
            What::Event => self.events,
            What::Request | What::Answer => self.requests,
        };
        wanted
            && self.session.is_none_or(|session| session == moment.session)
            && is(&self.op, moment.op)
            && is(&self.backend, moment.backend)
            && is(&self.frontend, moment.frontend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_wanted_is_not_shown() {
        let asked = Moment {
            session: 5,
            op: "status",
            ..Moment::new(What::Request, "local", "nicos")
        };
        let event = Moment {
            op: "log",
            ..Moment::new(What::Event, "", "nicos")
        };
        let seen = |filter: Filter| [filter.fits(&asked), filter.fits(&event)];
        let all = Filter::default;
        assert_eq!(seen(all()), [true, true]);
        assert_eq!(
            seen(Filter {
                events: false,
                ..all()
            }),
            [true, false]
        );
        assert_eq!(
            seen(Filter {
                requests: false,
                ..all()
            }),
            [false, true]
        );
        assert_eq!(
            seen(Filter {
                session: Some(5),
                ..all()
            }),
            [true, false]
        );
        assert_eq!(
            seen(Filter {
                session: Some(6),
                ..all()
            }),
            [false, false]
        );
        assert_eq!(
            seen(Filter {
                op: Some("log".into()),
                ..all()
            }),
            [false, true]
        );
        assert_eq!(
            seen(Filter {
                backend: Some("nicos".into()),
                ..all()
            }),
            [true, true]
        );
        assert_eq!(
            seen(Filter {
                backend: Some("other".into()),
                ..all()
            }),
            [false, false]
        );
        assert_eq!(
            seen(Filter {
                frontend: Some("local".into()),
                ..all()
            }),
            [true, false]
        );
    }
}
