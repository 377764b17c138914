//! What `serde(flatten)` spreads out in JSON is written in one piece, as if it were not there: the browser's side is compiled
//! without it. Everything else is postcard's.

use postcard::{
    Error, Result, Serializer as Postcard,
    ser_flavors::{AllocVec, Flavor},
};
use serde::ser::{self, Serialize, Serializer};

/// Writes a value.
pub(super) fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut to = Postcard { output: AllocVec::new() };
    value.serialize(Plain { to: &mut to, keys: true })?;
    to.output.finalize()
}

struct Plain<'a> {
    to: &'a mut Postcard<AllocVec>,
    /// Whether keys are part of the value; those of a struct that was spread out are not.
    keys: bool,
}

impl Plain<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(Plain { to: self.to, keys: true })
    }
}

/// Whatever has no parts.
macro_rules! as_postcard {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<()> {
            Serializer::$method(self.to, $($name),*)
        }
    )*};
}

impl<'a> Serializer for Plain<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    as_postcard! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_f32(v: f32);
        serialize_f64(v: f64);
        serialize_char(v: char);
        serialize_str(v: &str);
        serialize_bytes(v: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<()> {
        // One byte says that there is something.
        Serializer::serialize_u8(&mut *self.to, 1)?;
        self.element(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(mut self, _: &'static str, value: &T) -> Result<()> {
        self.element(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        Serializer::serialize_unit_variant(&mut *self.to, name, index, variant)?;
        self.element(value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self> {
        Serializer::serialize_seq(&mut *self.to, length).map(drop)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, name: &'static str, index: u32, variant: &'static str, _: usize) -> Result<Self> {
        Serializer::serialize_unit_variant(&mut *self.to, name, index, variant)?;
        Ok(self)
    }

    /// A map knows its length; what has none is a struct that was spread out.
    fn serialize_map(self, length: Option<usize>) -> Result<Self> {
        if length.is_none() {
            return Ok(Self { keys: false, ..self });
        }
        Serializer::serialize_map(&mut *self.to, length).map(drop)?;
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_struct_variant(self, name: &'static str, index: u32, variant: &'static str, _: usize) -> Result<Self> {
        Serializer::serialize_unit_variant(&mut *self.to, name, index, variant)?;
        Ok(self)
    }
}

/// Whatever has parts: one after the other.
macro_rules! parts {
    ($($kind:ident::$method:ident($($name:ident: $type:ty)?);)*) => {$(
        impl ser::$kind for Plain<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $type,)? value: &T) -> Result<()> {
                self.element(value)
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}

parts! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
}

/// Whatever has parts with names, which are not written. A part that is left out would be missed on the other side.
macro_rules! named_parts {
    ($($kind:ident)*) => {$(
        impl ser::$kind for Plain<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<()> {
                self.element(value)
            }

            fn skip_field(&mut self, _: &'static str) -> Result<()> {
                Err(Error::WontImplement)
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}

named_parts!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Plain<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        if self.keys { self.element(key) } else { Ok(()) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.element(value)
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Kind {
        Nothing,
        One(String),
        Two(i32, bool),
        Named { at: Option<u64> },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Inner {
        name: String,
        kinds: Vec<Kind>,
    }

    #[derive(Serialize)]
    struct Spread<'a> {
        #[serde(flatten)]
        inner: &'a Inner,
        counts: BTreeMap<u8, u32>,
    }

    #[derive(Deserialize, PartialEq, Debug)]
    struct Whole {
        inner: Inner,
        counts: BTreeMap<u8, u32>,
    }

    #[derive(Serialize)]
    struct LeavesOut {
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<u8>,
    }

    #[test]
    fn what_is_spread_out_in_json_crosses_in_one_piece() {
        let kinds = vec![Kind::Nothing, Kind::One("é".into()), Kind::Two(-5, true), Kind::Named { at: Some(3) }];
        let inner = Inner { name: "a".into(), kinds };
        assert_eq!(to_vec(&inner).unwrap(), postcard::to_allocvec(&inner).unwrap(), "it is postcard's own format");
        let counts = BTreeMap::from([(1, 2), (3, 400)]);
        let bytes = to_vec(&Spread { inner: &inner, counts: counts.clone() }).unwrap();
        assert_eq!(postcard::from_bytes::<Whole>(&bytes).unwrap(), Whole { inner, counts });
    }

    #[test]
    fn a_field_that_is_left_out_cannot_cross() {
        assert!(to_vec(&LeavesOut { at: None }).is_err());
        assert_eq!(to_vec(&LeavesOut { at: Some(1) }).unwrap(), [1, 1]);
    }
}
