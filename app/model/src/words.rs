//! One word, the same everywhere.

/// Declares an enum that is the same word in Rust, JSON, SQL and URLs, with its words for people.
macro_rules! words {
    (
        $(#[doc = $doc:literal])* $name:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $code:literal, $words:literal;)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $code)] $variant,)*
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code used in the API, the database and URLs.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The same in plain language, for the screen and for messages.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }
        }

        // Derived, it would show the names in Rust.
        #[cfg(feature = "ssr")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!($($doc, "\n"),*).trim()))
                    .enum_values(Some(Self::ALL.iter().map(|value| value.code())))
                    .into()
            }
        }

        #[cfg(feature = "ssr")]
        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.code() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|value| value.code()).collect();
                    format!("“{text}” is not one of {}", known.join(", "))
                })
            }
        }
    };
}
pub(crate) use words;
