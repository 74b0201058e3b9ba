//! Finds frames in the broker's bytes, in linear time and bounded memory, whatever a client has put into them.
//!
//! ```text
//!  Between --command--> Head --blank line--> Body --NUL--> Between
//!                                             |  too long
//!                                             +--> Skip --NUL--> Between
//! ```
//! Clients cannot be trusted with `content-length`: a JMS property of that name overwrites the broker's own. A length
//! whose end is no NUL is therefore ignored and the body ends at its first NUL. (The text of a compressed JMS message can
//! contain one; what stands behind it is read as frames, which cannot name our subscriptions and so are not believed.) A length that reaches beyond the frame would have us wait; [`Scanner::is_doubtful`] tells the connection, which after a while
//! calls [`Scanner::believe_nul`]. A body that is skipped because of its length ends early at a NUL behind which another
//! frame of the broker begins, so that no length makes us skip what comes from others.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

use super::error::ScanError;
use super::frame::Body;
use super::head::{Head, HeadLine};
use super::limits::Limits;
use super::skip::{Follows, follows, skip_counted, skip_to_nul};
pub use super::stage::Piece;
use super::stage::{Stage, Step};

/// A body up to this many bytes is copied: one that lies in the buffer while it is read would cost a new buffer for what
/// comes next.
const COPIED: usize = 4 << 10;

/// The state machine. Feed it with the same buffer, to which bytes are only appended.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    stage: Stage,
    seen: u64,
}

impl Scanner {
    /// Begins between frames.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            stage: Stage::Between,
            seen: 0,
        }
    }

    /// Takes the next piece out of `src`; `None`: more bytes are needed.
    ///
    /// # Errors
    /// [`ScanError`]: the connection cannot go on.
    pub fn next(&mut self, src: &mut BytesMut) -> Result<Option<Piece>, ScanError> {
        loop {
            match self.step(src)? {
                Step::Go(stage) => self.stage = stage,
                Step::Wait(stage) => {
                    self.stage = stage;
                    return Ok(None);
                }
                Step::Done(piece) => return Ok(Some(piece)),
            }
        }
    }

    /// A frame seems complete, but its `content-length` asks for more.
    pub fn is_doubtful(&self) -> bool {
        matches!(
            self.stage,
            Stage::Body {
                length: Some(_),
                nul: Some(_),
                ..
            } | Stage::Skip {
                length: Some(_),
                held: true,
                ..
            }
        )
    }

    /// Ends the doubtful body at its first NUL, whatever `content-length` says.
    pub fn believe_nul(&mut self) {
        match &mut self.stage {
            Stage::Body {
                length, searched, ..
            } => {
                *length = None;
                *searched = 0;
            }
            Stage::Skip { length, .. } => *length = None,
            Stage::Between | Stage::Head { .. } => {}
        }
    }

    fn step(&mut self, src: &mut BytesMut) -> Result<Step, ScanError> {
        match std::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Between => Ok(self.between(src)),
            Stage::Head {
                head,
                searched,
                dropping,
            } => self.head(src, head, searched, dropping),
            Stage::Body {
                head,
                length,
                searched,
                nul,
            } => Ok(self.body(src, head, length, searched, nul)),
            Stage::Skip {
                head,
                length: Some(length),
                skipped,
                ..
            } => Ok(skip_counted(src, head, length, skipped)),
            Stage::Skip {
                head,
                length: None,
                skipped,
                ..
            } => Ok(skip_to_nul(src, head, skipped)),
        }
    }

    fn between(&mut self, src: &mut BytesMut) -> Step {
        match src.first() {
            None => Step::Wait(Stage::Between),
            Some(b'\n') => {
                src.advance(1);
                Step::Done(Piece::HeartBeat)
            }
            Some(b'\r') => {
                src.advance(1);
                Step::Go(Stage::Between)
            }
            Some(_) => {
                self.seen = 0;
                Step::Go(Stage::Head {
                    head: Head::default(),
                    searched: 0,
                    dropping: false,
                })
            }
        }
    }

    fn head(
        &mut self,
        src: &mut BytesMut,
        mut head: Head,
        searched: usize,
        dropping: bool,
    ) -> Result<Step, ScanError> {
        let Some(end) = memchr(b'\n', &src[searched..]).map(|at| searched + at) else {
            return self.head_without_end(src, head, dropping);
        };
        self.count(end + 1)?;
        let is_too_long = dropping || end + 1 > self.limits.header_line;
        let pushed = match is_too_long {
            true => head.drop_line(),
            false => head.push(&src[..end], self.limits.head),
        };
        src.advance(end + 1);
        if pushed == HeadLine::Blank {
            let length = head
                .content_length()
                .filter(|length| *length <= self.limits.frame);
            return Ok(Step::Go(Stage::Body {
                head,
                length,
                searched: 0,
                nul: None,
            }));
        }
        Ok(Step::Go(Stage::Head {
            head,
            searched: 0,
            dropping: false,
        }))
    }

    fn head_without_end(
        &mut self,
        src: &mut BytesMut,
        head: Head,
        dropping: bool,
    ) -> Result<Step, ScanError> {
        let too_long = dropping || src.len() > self.limits.header_line;
        if too_long {
            self.count(src.len())?;
            src.clear();
        }
        Ok(Step::Wait(Stage::Head {
            head,
            searched: src.len(),
            dropping: too_long,
        }))
    }

    fn body(
        &mut self,
        src: &mut BytesMut,
        head: Head,
        length: Option<u64>,
        searched: usize,
        nul: Option<usize>,
    ) -> Step {
        let nul = nul.or_else(|| memchr(0, &src[searched..]).map(|at| searched + at));
        let limit = self.limits.body;
        match length {
            None => self.body_to_nul(src, head, nul),
            Some(length) => match usize::try_from(length)
                .ok()
                .filter(|length| *length <= limit)
            {
                Some(fits) => counted_body(src, head, fits, nul),
                None => self.long_body(src, head, length, nul),
            },
        }
    }

    /// A body whose length was given and is beyond the limit. If it ends within the limit all the same it is taken, so
    /// while that cannot be told it is not skipped: where the network cuts the bytes makes no difference.
    fn long_body(&self, src: &mut BytesMut, head: Head, length: u64, nul: Option<usize>) -> Step {
        let limit = self.limits.body;
        let end = nul.map(|nul| follows(&src[nul..]));
        match end {
            Some(Follows::Frame) => self.body_to_nul(src, head, nul),
            Some(Follows::Nothing) if nul.is_some_and(|nul| nul <= limit) => {
                wait_for_body(src, head, length, nul)
            }
            _ if src.len() > limit => Step::Go(Stage::Skip {
                head,
                length: Some(length),
                skipped: 0,
                held: false,
            }),
            _ => wait_for_body(src, head, length, nul),
        }
    }

    fn body_to_nul(&self, src: &mut BytesMut, head: Head, nul: Option<usize>) -> Step {
        match nul {
            Some(end) => {
                let too_long = end > self.limits.body;
                let body = take(src, end);
                let body = if too_long {
                    Body::TooLong(end as u64)
                } else {
                    Body::Text(body)
                };
                Step::Done(Piece::Frame(head, body))
            }
            None if src.len() > self.limits.body => Step::Go(Stage::Skip {
                head,
                length: None,
                skipped: 0,
                held: false,
            }),
            None => Step::Wait(Stage::Body {
                head,
                length: None,
                searched: src.len(),
                nul: None,
            }),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), ScanError> {
        self.seen += bytes as u64;
        if self.seen > self.limits.frame {
            return Err(ScanError::FrameTooLong {
                limit: self.limits.frame,
            });
        }
        Ok(())
    }
}

/// Takes a body of so many bytes, and the NUL behind it.
fn take(src: &mut BytesMut, length: usize) -> Bytes {
    if length > COPIED {
        let body = src.split_to(length).freeze();
        src.advance(1);
        return body;
    }
    let body = Bytes::copy_from_slice(&src[..length]);
    src.advance(length + 1);
    body
}

/// A body whose length was given and is within the limit: bytes if a NUL stands behind it, else text up to the NUL.
fn counted_body(src: &mut BytesMut, head: Head, length: usize, nul: Option<usize>) -> Step {
    match src.get(length) {
        Some(0) => Step::Done(Piece::Frame(head, Body::Counted(take(src, length)))),
        Some(_) => Step::Go(Stage::Body {
            head,
            length: None,
            searched: 0,
            nul: None,
        }),
        None => wait_for_body(src, head, length as u64, nul),
    }
}

fn wait_for_body(src: &BytesMut, head: Head, length: u64, nul: Option<usize>) -> Step {
    Step::Wait(Stage::Body {
        head,
        length: Some(length),
        searched: src.len(),
        nul,
    })
}
