//! Circles of made-up Rust files, found and not found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::graph::circles;
use super::rust_imports::graph;

fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let sources: BTreeMap<PathBuf, String> =
        files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    circles(&graph(&sources, Path::new("lib.rs")))
}

const NONE: [&str; 0] = [];

#[test]
fn files_that_use_each_other_are_a_circle() {
    let root = ("lib.rs", "mod a; mod b;");
    for (of_a, of_b) in [
        ("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;"),
        ("use super::b::{B, C as D}; pub struct A;", "pub struct B; pub fn c() { crate::a::A; }"),
        ("use crate::b; pub struct A; fn f() { b::c(); }", "use crate::{a::A}; pub fn c() {}"),
        ("use crate::b::*; pub struct A; fn f(_: B) {}", "pub struct B(super::a::A);"),
    ] {
        assert_eq!(circles_of(&[root, ("a.rs", of_a), ("b.rs", of_b)]), ["a.rs -> b.rs -> a.rs"], "{of_a} {of_b}");
    }
}

#[test]
fn item_behind_re_export_counts_as_its_file() {
    let root = ("lib.rs", "mod x;");
    let parent = ("x/mod.rs", "mod a; mod b; pub use a::A; pub use b::*;");
    let one_way = [root, parent, ("x/a.rs", "use super::B; pub struct A;"), ("x/b.rs", "pub struct B;")];
    assert_eq!(circles_of(&one_way), NONE);
    let circle = [root, parent, ("x/a.rs", "use super::B; pub struct A;"), ("x/b.rs", "pub struct B(super::A);")];
    assert_eq!(circles_of(&circle), ["x/a.rs -> x/b.rs -> x/a.rs"]);
}

#[test]
fn parents_own_item_counts_as_the_parent() {
    let root = ("lib.rs", "mod x;");
    let child = ("x/a.rs", "use super::Own; pub fn f(_: Own) {}");
    let uses_it = ("x.rs", "mod a; pub struct Own; fn g() { a::f(Own); }");
    assert_eq!(circles_of(&[root, uses_it, child]), ["x.rs -> x/a.rs -> x.rs"]);
    let hands_it_on = ("x.rs", "mod a; pub use a::f; pub struct Own;");
    assert_eq!(circles_of(&[root, hands_it_on, child]), NONE);
    let hands_on_and_uses = ("x.rs", "mod a; pub use a::f; pub struct Own; fn g() { f(Own); }");
    assert_eq!(circles_of(&[root, hands_on_and_uses, child]).len(), 1);
}

#[test]
fn unit_tests_comments_and_strings_are_no_circle() {
    let root = ("lib.rs", "mod a; mod b;");
    let of_a = "use crate::b::B; pub struct A; // crate::b::B\nconst S: &str = \"crate::b\";";
    let tests = "pub struct B; /* crate::a::A */ const S: &str = r#\"crate::a::A\"#;\
        fn f<'a>(_: &'a str, _: char) { f(\"\", 'x'); }\
        #[cfg(test)] mod tests { use crate::a::A; use super::*; fn g(_: A, _: B) {} }";
    assert_eq!(circles_of(&[root, ("a.rs", of_a), ("b.rs", tests)]), NONE);
}
