//! QR codes, drawn as SVG: one path, no script, no style, nothing that loads anything.

use std::fmt::Write;

use fast_qr::{ECL, QRBuilder};

/// The white border that readers need, in modules (ISO/IEC 18004 §6.3.8).
const BORDER: usize = 4;

/// The picture of `text`, which is about 2,300 bytes at most; `None` when it is longer.
pub fn svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut path = String::new();
    for y in 0..code.size {
        let mut x = 0;
        for run in code[y].chunk_by(|one, next| one.value() == next.value()) {
            if run.first().is_some_and(|module| module.value()) {
                // Writing to a String does not fail.
                let _ = write!(path, "M{} {}h{}v1h-{}z", x + BORDER, y + BORDER, run.len(), run.len());
            }
            x += run.len();
        }
    }
    let side = code.size + 2 * BORDER;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws the picture as this module writes it, three dots to a module.
    fn dots(svg: &str) -> (usize, Vec<bool>) {
        let side: usize = svg.split('"').nth(3).unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        let mut dark = vec![false; side * side];
        let path = svg.rsplit("d=\"").next().unwrap().split('"').next().unwrap();
        for piece in path.split('M').skip(1) {
            let (place, rest) = piece.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let start = y.parse::<usize>().unwrap() * side + x.parse::<usize>().unwrap();
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            dark[start..start + length].fill(true);
        }
        (side, dark)
    }

    /// An independent reader sees the text.
    #[test]
    fn what_is_drawn_can_be_read() {
        for text in ["x", "otpauth://totp/Rejoinder:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Rejoinder", &"long ".repeat(60)]
        {
            let (side, dark) = dots(&svg(text).unwrap());
            let is_dark = |x: usize, y: usize| dark[y / 3 * side + x / 3];
            let grey = |x, y| if is_dark(x, y) { 0 } else { 255 };
            let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * 3, side * 3, grey);
            let grids = image.detect_grids();
            assert_eq!(grids.len(), 1, "{text}");
            assert_eq!(grids[0].decode().unwrap().1, text);
        }
        assert_eq!(svg(&"x".repeat(3000)), None);
    }

    #[test]
    fn nothing_of_the_text_stands_in_the_picture() {
        let svg = svg("<script>alert(1)</script>").unwrap();
        assert!(!svg.contains("script") && svg.matches('<').count() == 4, "{svg}");
    }
}
