//! What the compiler says to an author who has made a mistake: a file for each below `mistakes/`, and beside it what is said.
//!
//! The words are the compiler's, too, so a new Rust may change them: `TRYBUILD=overwrite cargo test -p patchbay-sdk --test
//! mistakes` writes them anew. Read what has changed: an author must still learn what is wrong and what to do.

#[test]
fn an_authors_mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
