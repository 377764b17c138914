//! Why a question was not answered.

use serde::{Deserialize, Serialize};

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// A sentence that helps.
    pub message: String,
}

impl FieldError {
    /// A field and its sentence.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// Why a question was not answered. Holds no secret: it reaches URLs, logs and pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such thing (404): what it is, or a whole sentence.
    #[error("{}", not_there(.0))]
    NotFound(String),
    /// Signed in, but not allowed (403).
    #[error("You may not do this. Ask an administrator for the role “{0}”.")]
    Forbidden(String),
    /// Not signed in, or no longer (401).
    #[error("Please sign in.")]
    Unauthenticated,
    /// The input is wrong (422).
    #[error("{}", .0.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join(" · "))]
    Invalid(Vec<FieldError>),
    /// Something else happened meanwhile (409).
    #[error("{0}")]
    Conflict(String),
    /// It cannot be done right now (503).
    #[error("{0}")]
    Unavailable(String),
    /// Our fault (500); the log has more under the same reference.
    #[error("Something went wrong on our side. Try again; if it stays, report it with the reference {0}.")]
    Internal(String),
}

impl Refusal {
    /// Input with one wrong field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::Forbidden(_) => 403,
            Self::Unauthenticated => 401,
            Self::Invalid(_) => 422,
            Self::Conflict(_) => 409,
            Self::Unavailable(_) => 503,
            Self::Internal(_) => 500,
        }
    }

    /// A short title, the same for each kind.
    pub fn title(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "Not found",
            Self::Forbidden(_) => "Not allowed",
            Self::Unauthenticated => "Not signed in",
            Self::Invalid(_) => "Invalid input",
            Self::Conflict(_) => "Conflict",
            Self::Unavailable(_) => "Not possible right now",
            Self::Internal(_) => "Something went wrong",
        }
    }
}

fn not_there(what: &str) -> String {
    if what.ends_with('.') {
        return what.to_owned();
    }
    format!("{what} was not found. It may have been removed; go back to the list.")
}
