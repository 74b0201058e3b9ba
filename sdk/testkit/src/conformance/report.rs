//! What the suite found.

use std::fmt;

/// What became of each requirement.
#[derive(Debug, Clone)]
#[must_use = "a report that nobody reads proves nothing: `assert` it"]
pub struct Report {
    /// Of which plugin, in the words of the test.
    pub subject: String,
    /// One for each requirement, in the order of the page.
    pub findings: Vec<Finding>,
}

/// What became of one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its number on the page, `B5`.
    pub id: &'static str,
    /// What it demands.
    pub title: &'static str,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is met.
    Passed,
    /// It is not, and why.
    Failed(String),
    /// It could not be looked at: the plugin says that it cannot do this, or the test has not said how.
    NotApplicable(String),
}

impl Report {
    /// The numbers of the requirements that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.of(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// The numbers of the requirements that are met.
    pub fn passed(&self) -> Vec<&'static str> {
        self.of(|verdict| *verdict == Verdict::Passed)
    }

    /// The numbers of the requirements that could not be looked at.
    pub fn not_applicable(&self) -> Vec<&'static str> {
        self.of(|verdict| matches!(verdict, Verdict::NotApplicable(_)))
    }

    fn of(&self, which: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        let found = self.findings.iter().filter(|found| which(&found.verdict));
        found.map(|found| found.id).collect()
    }

    /// Panics with a page of what failed and why, if anything did.
    pub fn assert(&self) {
        assert!(self.failed().is_empty(), "\n{self}");
    }

    /// As [`Report::assert`], also if other requirements than these could not be looked at: so that a test does not look at
    /// less one day without anybody noticing.
    ///
    /// ```
    /// # use patchbay_testkit::conformance::{Finding, Report, Verdict};
    /// let why = "the test has named no password that is wrong".to_owned();
    /// let finding = |id, verdict| Finding { id, title: "…", verdict };
    /// let findings = vec![finding("B1", Verdict::Passed), finding("B2", Verdict::NotApplicable(why))];
    /// let report = Report { subject: "mine".to_owned(), findings };
    /// report.assert_all_but(&["B2"]);
    /// ```
    pub fn assert_all_but(&self, unseen: &[&str]) {
        self.assert();
        let found = self.not_applicable();
        assert_eq!(
            found, unseen,
            "what was not looked at is not what the test says\n{self}"
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, passed) = (self.failed().len(), self.passed().len());
        let others = self.findings.len() - failed - passed;
        writeln!(
            f,
            "{}: {failed} requirements failed, {passed} are met, {others} were not looked at.",
            self.subject
        )?;
        writeln!(
            f,
            "What each means and how it is checked: CONFORMANCE.md of patchbay-testkit.\n"
        )?;
        for found in &self.findings {
            match &found.verdict {
                Verdict::Passed => writeln!(f, "  ok      {} {}", found.id, found.title)?,
                Verdict::NotApplicable(why) => {
                    writeln!(
                        f,
                        "  -       {} {}\n             {why}",
                        found.id, found.title
                    )?;
                }
                Verdict::Failed(why) => {
                    let why = why.replace('\n', "\n             ");
                    writeln!(
                        f,
                        "  FAILED  {} {}\n             {why}",
                        found.id, found.title
                    )?;
                }
            }
        }
        Ok(())
    }
}
