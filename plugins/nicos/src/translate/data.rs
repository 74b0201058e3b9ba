//! Measured data.
//!
//! Source: `ScanData` in NICOS's `nicos/core/data/dataset.py`, `nicos/devices/datasinks/special.py`, and
//! `updateLiveData` in `nicos/services/daemon/session.py`.

use bytes::Bytes;
use patchbay_sdk::{Event, EventKind, Fault, RawJson};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::shape;

type Raw<'a> = &'a RawValue;

/// NICOS's `ScanData`, with what was measured so far. `started` is a `time.struct_time`; a column is a
/// `nicos.core.params.Value` (`name`, `type`, `errors`, `unit`, `fmtstr`); `points` hold one row each.
#[derive(Deserialize)]
struct ScanData<'a> {
    uid: String,
    #[serde(borrow, default)]
    started: Option<Raw<'a>>,
    #[serde(borrow, default)]
    scaninfo: Option<Raw<'a>>,
    #[serde(borrow, default)]
    counter: Option<Raw<'a>>,
    #[serde(borrow, default)]
    filepaths: Option<Raw<'a>>,
    #[serde(borrow, default)]
    xindex: Option<Raw<'a>>,
    #[serde(borrow, default)]
    envvalues: Option<Raw<'a>>,
    #[serde(borrow, default)]
    chain: Option<Raw<'a>>,
    #[serde(borrow)]
    xvalueinfo: Raw<'a>,
    #[serde(borrow)]
    yvalueinfo: Raw<'a>,
    #[serde(borrow)]
    xresults: Raw<'a>,
    #[serde(borrow)]
    yresults: Raw<'a>,
    #[serde(borrow, default)]
    headerinfo: Option<Raw<'a>>,
}

#[derive(Serialize)]
struct Dataset<'a> {
    data: &'static str,
    dataset: String,
    title: Option<Raw<'a>>,
    number: Option<Raw<'a>>,
    started: Option<Raw<'a>>,
    files: Option<Raw<'a>>,
    x_columns: Raw<'a>,
    y_columns: Raw<'a>,
    x: Raw<'a>,
    y: Raw<'a>,
    /// Which column of `x` is to be plotted, and how many columns at its end are environment values.
    x_index: Option<Raw<'a>>,
    environment: Option<Raw<'a>>,
    /// The ids of the datasets that this one is part of, comma-separated.
    chain: Option<Raw<'a>>,
    header: Option<Raw<'a>>,
}

/// A scan has its first point. Bodies: `{"data": "dataset", "dataset": id, "x_columns", "y_columns", "x", "y", …}`.
pub(super) fn dataset(value: &RawJson) -> Result<Event, Fault> {
    let scan: ScanData<'_> = shape::read("dataset", value)?;
    Event::new(
        EventKind::Data,
        &Dataset {
            data: "dataset",
            dataset: scan.uid,
            title: scan.scaninfo,
            number: scan.counter,
            started: scan.started,
            files: scan.filepaths,
            x_columns: scan.xvalueinfo,
            y_columns: scan.yvalueinfo,
            x: scan.xresults,
            y: scan.yresults,
            x_index: scan.xindex,
            environment: scan.envvalues,
            chain: scan.chain,
            header: scan.headerinfo,
        },
    )
}

#[derive(Serialize)]
struct Point<'a> {
    data: &'static str,
    dataset: String,
    x: Raw<'a>,
    y: Raw<'a>,
}

/// A scan has another point.
pub(super) fn point(value: &RawJson) -> Result<Event, Fault> {
    let (dataset, x, y) = shape::read("datapoint", value)?;
    let data = "point";
    Event::new(
        EventKind::Data,
        &Point {
            data,
            dataset,
            x,
            y,
        },
    )
}

#[derive(Serialize)]
struct Curve<'a> {
    data: &'static str,
    title: Raw<'a>,
    x: Raw<'a>,
    y: Raw<'a>,
}

/// A curve was fitted to the latest dataset.
pub(super) fn curve(value: &RawJson) -> Result<Event, Fault> {
    let (title, x, y) = shape::read("datacurve", value)?;
    let data = "curve";
    Event::new(EventKind::Data, &Curve { data, title, x, y })
}

/// What a detector shows while it counts, or the files that it has written. The blobs are first the arrays that
/// `datadescs` describes (C order, `dtype` as NumPy writes it), then the arrays of their labels.
#[derive(Deserialize)]
struct LiveData<'a> {
    #[serde(default)]
    uid: Option<Uid>,
    #[serde(borrow, default)]
    time: Option<Raw<'a>>,
    #[serde(borrow, default)]
    det: Option<Raw<'a>>,
    #[serde(borrow, default)]
    tag: Option<Raw<'a>>,
    #[serde(borrow, default)]
    datadescs: Option<Raw<'a>>,
    #[serde(borrow, default)]
    filedescs: Option<Raw<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Uid {
    Text(String),
    Instance { hex: String },
}

impl Uid {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Instance { hex: text } => text,
        }
    }
}

/// One array of a daemon before protocol 20: the tuple that went before it, by its positions.
#[derive(Deserialize)]
struct LiveParams<'a>(
    #[serde(borrow)] Raw<'a>,
    Option<Uid>,
    #[serde(borrow)] Raw<'a>,
    #[serde(borrow)] Raw<'a>,
    #[serde(borrow)] Raw<'a>,
    #[serde(borrow)] Raw<'a>,
    #[serde(borrow)] Raw<'a>,
    #[serde(borrow)] Raw<'a>,
    #[serde(borrow)] Raw<'a>,
);

#[derive(Serialize)]
struct Live<'a> {
    data: &'static str,
    dataset: Option<String>,
    time: Option<Raw<'a>>,
    detector: Option<Raw<'a>>,
    tag: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrays: Option<Raw<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Raw<'a>>,
    /// How many blobs follow.
    blobs: usize,
}

#[derive(Serialize)]
struct OldLive<'a> {
    data: &'static str,
    dataset: Option<String>,
    time: Raw<'a>,
    detector: Raw<'a>,
    tag: Raw<'a>,
    file: Raw<'a>,
    dtype: Raw<'a>,
    /// Numbers of elements; x changes fastest.
    nx: Raw<'a>,
    ny: Raw<'a>,
    nt: Raw<'a>,
    blobs: usize,
}

/// A picture of what is being counted.
pub(super) fn live(value: &RawJson, blobs: Vec<Bytes>) -> Result<Event, Fault> {
    let event = match value.get().starts_with('[') {
        true => old_live(value, blobs.len())?,
        false => new_live(value, blobs.len())?,
    };
    Ok(event.blobs(blobs.into_iter().map(|blob| Vec::from(blob).into())))
}

fn new_live(value: &RawJson, blobs: usize) -> Result<Event, Fault> {
    let live: LiveData<'_> = shape::read("livedata", value)?;
    Event::new(
        EventKind::Data,
        &Live {
            data: "live",
            dataset: live.uid.map(Uid::into_text),
            time: live.time,
            detector: live.det,
            tag: live.tag,
            arrays: live.datadescs,
            files: live.filedescs,
            blobs,
        },
    )
}

fn old_live(value: &RawJson, blobs: usize) -> Result<Event, Fault> {
    let LiveParams(tag, uid, detector, file, dtype, nx, ny, nt, time) =
        shape::read("liveparams", value)?;
    Event::new(
        EventKind::Data,
        &OldLive {
            data: "live",
            dataset: uid.map(Uid::into_text),
            time,
            detector,
            tag,
            file,
            dtype,
            nx,
            ny,
            nt,
            blobs,
        },
    )
}
