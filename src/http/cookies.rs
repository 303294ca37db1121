//! Reading the cookies of a request.

use actix_web::HttpRequest;
use actix_web::http::header;

/// The value of one of our cookies. One that comes twice is none: it cannot be told which of them we set.
pub fn find<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let mut values = pairs(request).filter(|(known, _)| *known == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// Every cookie that came, with its value.
pub fn pairs(request: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    let lists = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='))
}
