//! The C interface, one file per C noun; `include/terralume.h` is generated from them.
//!
//! Comments on exported items are written for C readers. Only shared references are made from C pointers. Every
//! body that could fail or panic stands inside `status::guard`.

// C names its types in small letters.
#![allow(non_camel_case_types)]
// The contract of every function stands in its documentation, in the words of C.
#![allow(clippy::missing_safety_doc)]

mod argument;
pub mod chain;
pub mod expression;
pub mod gdal;
pub mod grid;
pub mod job;
pub mod library;
pub mod map;
pub mod memory;
pub mod recipe;
pub mod stack;
pub mod status;
mod versioned;
