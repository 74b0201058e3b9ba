//! The JMS client's sources.

use crate::error::Result;
use crate::java;
use crate::progress::Progress;

/// Name and text of each source file.
const SOURCES: [(&str, &str); 8] = [
    ("Client.java", include_str!("../../../jms/Client.java")),
    ("Ibex.java", include_str!("../../../jms/Ibex.java")),
    ("Link.java", include_str!("../../../jms/Link.java")),
    ("Options.java", include_str!("../../../jms/Options.java")),
    ("Out.java", include_str!("../../../jms/Out.java")),
    ("Receiver.java", include_str!("../../../jms/Receiver.java")),
    ("Target.java", include_str!("../../../jms/Target.java")),
    ("Texts.java", include_str!("../../../jms/Texts.java")),
];

/// Installs what the client needs, compiles it unless that is done, and returns its class path.
pub(crate) fn install(progress: Progress<'_>) -> Result<String> {
    java::compile("the JMS client", "jms", &SOURCES, progress)
}
