use super::*;

fn fill() -> Arc<Fill> {
    Fill::new(Arc::new(RequestHead::get("/")), true, 0)
}

#[test]
fn a_fill_that_lets_go_of_its_beginning_takes_no_new_reader() {
    let fill = fill();
    let first = fill.attach().expect("a reader");
    fill.push(Bytes::from_static(b"abc"), None);
    fill.close();
    assert!(fill.attach().is_none());
    assert_eq!(fill.amounts(), (3, 3));
    drop(first);
    assert_eq!(fill.amounts(), (3, 0), "nobody is left to read it");
}

#[test]
fn the_first_end_counts() {
    let fill = fill();
    fill.finish(Ended::Alone);
    fill.finish(Ended::Abandoned);
    assert!(matches!(fill.phase(), Phase::Ended(Ended::Alone)));
}
