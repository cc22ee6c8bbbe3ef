use super::*;
use http_body::Body as _;
use proptest::prelude::*;
use std::task::Waker;

fn read(mut body: Blocks) -> Vec<u8> {
    let mut out = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) {
        out.extend_from_slice(&frame.into_data().expect("data"));
    }
    assert!(body.is_end_stream());
    out
}

proptest! {
    #[test]
    fn numbers_become_digits(number in any::<u64>()) {
        prop_assert_eq!(decimal(number), number.to_string());
        prop_assert_eq!(decimal(number % 10), (number % 10).to_string());
    }

    #[test]
    fn blocks_give_exactly_the_bytes_that_are_asked_for(
        sizes in proptest::collection::vec(1usize..9, 1..6), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
    ) {
        let whole: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|n| n as u8).collect();
        let mut rest = &whole[..];
        let blocks: Vec<Bytes> = sizes.iter().map(|size| {
            let (block, more) = rest.split_at(*size);
            rest = more;
            Bytes::copy_from_slice(block)
        }).collect();
        let (a, b) = (from.index(whole.len() + 1), to.index(whole.len() + 1));
        let (start, end) = (a.min(b), a.max(b));
        let body = Blocks::new(Grip::alone(blocks), start as u64, end as u64);
        prop_assert_eq!(body.size_hint().exact(), Some((end - start) as u64));
        prop_assert_eq!(read(body), &whole[start..end]);
    }
}
