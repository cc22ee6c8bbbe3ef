use super::*;

/// cloudfront-functions.md section 6, lambda-at-edge.md section 9.
#[test]
fn each_category_has_its_status_and_x_cache() {
    let expected = [
        (FailureCategory::FunctionExecution, 503, "FunctionExecutionError"),
        (FailureCategory::FunctionValidation, 502, "FunctionValidationError"),
        (FailureCategory::FunctionThrottled, 503, "FunctionThrottledError"),
        (FailureCategory::LambdaExecution, 503, "LambdaExecutionError"),
        (FailureCategory::LambdaValidation, 502, "LambdaValidationError"),
        (FailureCategory::LambdaLimitExceeded, 503, "LambdaLimitExceeded"),
    ];
    assert_eq!(expected.map(|(category, ..)| category), FailureCategory::ALL);
    for (category, status, result_type) in expected {
        assert_eq!(category.status().as_u16(), status);
        assert_eq!(category.result_type(), result_type);
        assert_eq!(category.x_cache(), format!("{result_type} from cloudfront"));
    }
}

#[test]
fn the_page_names_the_request_and_nothing_of_the_function() {
    let invalid = Invalid::ReadOnly { name: "x-secret-name".to_owned(), change: crate::invalid::Change::Deleted };
    let (head, body) = invalid.answer(Tier::Viewer, "REQUEST-ID==");
    let body = std::str::from_utf8(&body).unwrap();
    assert_eq!(head.status, 502);
    assert_eq!(head.header("x-cache"), Some("FunctionValidationError from cloudfront"));
    assert_eq!(head.header("content-length"), Some(body.len().to_string().as_str()));
    assert!(body.contains("<title>ERROR: The request could not be satisfied</title>"));
    assert!(body.contains("502 ERROR") && body.contains("Request ID: REQUEST-ID=="));
    assert!(body.contains("restricted header") && !body.contains("x-secret-name"));
}

/// lambda-at-edge.md section 9.
#[test]
fn a_lambda_result_that_touches_headers_gets_the_vendors_sentence() {
    let added = Invalid::Disallowed("x-cache".to_owned());
    assert!(added.sentence(Tier::Lambda).ends_with("The function tried to add a blacklisted header."));
    let body = Invalid::Body("is not valid base64");
    assert!(body.sentence(Tier::Lambda).contains("exceeds the maximum size"));
}

/// cloudfront-functions.md section 16.
#[test]
fn the_test_operation_gives_the_function_s_own_text() {
    let threw = |line| Invalid::Threw { message: "TypeError: no".to_owned(), line, column: 1 };
    let sentence = FailureCategory::FunctionExecution.sentence();
    assert_eq!(threw(3).test_message(), format!("{sentence} TypeError: no in 3"));
    assert_eq!(threw(0).test_message(), format!("{sentence} TypeError: no"));
    let case = Invalid::HeaderCase("X-Foo".to_owned());
    assert_eq!(
        case.test_message(),
        "The CloudFront function returned an invalid value: header names must be in lower case: `X-Foo`"
    );
}
