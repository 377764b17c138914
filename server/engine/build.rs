//! Cargo cannot see what the sqlx macros read.

fn main() {
    println!("cargo::rerun-if-changed=../../.sqlx");
    println!("cargo::rerun-if-changed=../../migrations");
}
