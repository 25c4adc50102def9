//! One error type; a variant for every cause a caller can act on.

/// Everything that can go wrong, as a sentence that says where, what came and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that is out of range, of the wrong kind or contradicts another one.
    #[error("{0}")]
    Argument(String),
    /// An operation, preset, parameter or option that does not exist.
    #[error("{0}")]
    UnknownName(String),
    /// A recipe that cannot be read or does not fit together.
    #[error("{0}")]
    Recipe(String),
    /// An input that cannot be opened or read.
    #[error("{0}")]
    Input(String),
    /// An output that cannot be created or written.
    #[error("{0}")]
    Output(String),
    /// Input that is well formed but outside what an operation can treat rightly.
    #[error("{0}")]
    Unsupported(String),
    /// The memory budget is too small for the work.
    #[error("{0}")]
    Memory(String),
    /// No usable GDAL was found.
    #[error("{0}")]
    NoGdal(String),
    /// The caller stopped the run.
    #[error("cancelled")]
    Cancelled,
    /// A defect of this library.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// Says where a value was refused: at a layer, an operation, or a setting of the whole recipe. Other errors name
    /// what they concern themselves.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        match self {
            Error::Argument(_) | Error::UnknownName(_) => self.at(place),
            other => other,
        }
    }

    /// The same error with the place it concerns in front.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        match &mut self {
            Error::Argument(text)
            | Error::UnknownName(text)
            | Error::Recipe(text)
            | Error::Input(text)
            | Error::Output(text)
            | Error::Unsupported(text)
            | Error::Memory(text)
            | Error::NoGdal(text)
            | Error::Internal(text) => text.insert_str(0, &format!("{place}: ")),
            Error::Cancelled => {}
        }
        self
    }
}

/// Result with the library's own error.
pub type Result<T> = std::result::Result<T, Error>;

/// `given` is not one of `allowed`: says so, and offers the nearest name.
pub fn unknown_name<'a>(kind: &str, given: &str, allowed: impl IntoIterator<Item = &'a str>) -> Error {
    let allowed: Vec<&str> = allowed.into_iter().collect();
    Error::UnknownName(format!("unknown {kind} '{given}'; allowed: {}", allowed.join(", ")))
}
