//! Where an answer may go.
//!
//! The `reply-to` header is the client's word, and we send with our own rights at the broker. So only the forms that an
//! ordinary client has are obeyed: its temporary queue, or one named queue or topic.

/// How a client's temporary queue is named towards us.
const TEMPORARY: [&str; 2] = ["/remote-temp-queue/", "/remote-temp-topic/"];
const NAMED: [&str; 2] = ["/queue/", "/topic/"];
/// Long enough for any name that a broker makes.
pub const MAX: usize = 1_000;

/// Whether we send to `reply_to` at all. Not to our own queue, not to the broker's own destinations, not to several.
pub fn is_acceptable(reply_to: &str, own_queue: &str) -> bool {
    // The broker hangs up on some of these, such as an empty name.
    let odd = |c: char| c.is_control() || c.is_whitespace() || ",*>?".contains(c);
    if reply_to.len() > MAX || reply_to.contains(odd) {
        return false;
    }
    if let Some(name) = temporary(reply_to) {
        return !name.is_empty();
    }
    let named = NAMED
        .iter()
        .find_map(|prefix| reply_to.strip_prefix(prefix));
    named
        .is_some_and(|name| !name.is_empty() && name != own_queue && !name.starts_with("ActiveMQ."))
}

/// The broker's name of a temporary queue, whose begin and end its advisories tell; `None` for anything else.
pub fn temporary_queue(reply_to: &str) -> Option<&str> {
    reply_to.strip_prefix(TEMPORARY[0])
}

/// The broker's name of a temporary destination, which its errors and advisories use; `None` for a named one.
pub fn temporary(reply_to: &str) -> Option<&str> {
    TEMPORARY
        .iter()
        .find_map(|prefix| reply_to.strip_prefix(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destinations_of_ordinary_clients_are_obeyed() {
        for good in [
            "/remote-temp-queue/ID:h-1-2-1:1:1",
            "/queue/answers",
            "/topic/answers.a",
        ] {
            assert!(is_acceptable(good, "ss_admin"), "{good}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for bad in [
            "",
            " ",
            "ID:h:1",
            "/temp-queue/x",
            "/queue/",
            "/queue/ss_admin",
            "/queue/a,/queue/b",
            "/topic/ActiveMQ.Advisory.x",
            "/queue/>",
            "/queue/a?x=1",
            "/queue/a\nb",
            "/remote-temp-queue/",
            "/remote-temp-queue/ ",
            "/remote-temp-queue/ID:h:1?x=1",
            "/remote-temp-topic/>",
            "temp-queue://ID:h:1",
        ] {
            assert!(!is_acceptable(bad, "ss_admin"), "{bad}");
        }
        assert!(!is_acceptable(
            &format!("/queue/{}", "x".repeat(2_000)),
            "ss_admin"
        ));
    }
}
