#![allow(clippy::unwrap_used)]
use super::{Image, Mapping, PAGE, discard, system_page};
use std::os::unix::fs::FileExt;

fn image(pages: usize) -> Image {
    let mut bytes = vec![0; pages * system_page()];
    bytes[5] = 5;
    Image::try_new(&bytes).unwrap()
}

#[test]
fn a_mapping_shows_the_image_and_keeps_its_writes_to_itself() {
    let image = image(4);
    let len = image.bytes().len();
    let mut one = Mapping::try_new(len, 16 * len, Some(&image)).unwrap();
    let mut two = Mapping::try_new(len, 16 * len, Some(&image)).unwrap();
    one.bytes_mut()[5] = 9;
    one.bytes_mut()[len - 1] = 9;
    assert_eq!(two.bytes_mut(), image.bytes());
    assert_eq!(image.bytes()[5], 5);
    // SAFETY: the slice is the whole mapping.
    unsafe { discard(one.bytes_mut()) }.unwrap();
    assert_eq!(one.bytes_mut(), image.bytes());
}

#[test]
fn an_image_cannot_be_written() {
    let image = image(1);
    assert!(image.file.write_all_at(&[1; PAGE], 0).is_err());
    assert!(image.file.set_len(1).is_err());
}

#[test]
fn an_image_of_another_size_is_refused() {
    let image = image(2);
    assert!(Mapping::try_new(system_page(), system_page(), Some(&image)).is_err());
}
