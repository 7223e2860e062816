//! SVG drawings to pixels. Nothing outside the file is read but the fonts of
//! the system: no links, no other files.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use resvg::usvg::{self, roxmltree};
use resvg::{tiny_skia, usvg::fontdb};

use super::form::{Form, Kind, form};
use super::guard::guard;
use super::pixels::premultiplied;
use super::{Fault, Limits, Pixels, picture};

/// A drawing has no pixels of its own: smaller ones are drawn at this longest edge.
const LEAST_EDGE: f32 = 1024.0;
/// Bytes of XML. Drawings beyond this are maps that take minutes.
const LARGEST: usize = 32 << 20;
/// Elements, with each `use` counted as what it stands for.
const MOST_ELEMENTS: u64 = 200_000;
/// The readers call themselves for every level, and a stack is finite.
const DEEPEST: usize = 200;

/// Fonts are looked for once. Without any, text in a drawing is left out.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_system_fonts();
    Arc::new(fonts)
});

/// Whether the first thing in a text is an `svg` element, after what XML
/// allows before it.
pub(super) fn is_svg(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64 << 10)];
    let head = String::from_utf8_lossy(head);
    let mut rest = head.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<svg") => return true,
            _ if rest.starts_with("<svg:svg") => return true,
            _ if rest.starts_with("<?") => rest.find("?>").map(|at| at + 2),
            _ if rest.starts_with("<!--") => rest.find("-->").map(|at| at + 3),
            // A document type may hold entities between brackets.
            _ if rest.starts_with("<!DOCTYPE svg") => match (rest.find('['), rest.find('>')) {
                (Some(open), Some(close)) if open < close => rest.find("]>").map(|at| at + 2),
                (_, close) => close.map(|at| at + 1),
            },
            _ => None,
        };
        match end {
            Some(end) => rest = rest[end..].trim_start(),
            None => return false,
        }
    }
}

/// The size that a drawing declares, in CSS pixels.
pub(super) fn size(bytes: &[u8], limits: &Limits) -> Result<(u32, u32), Fault> {
    let size = tree(bytes, limits)?.size().to_int_size();
    Ok((size.width(), size.height()))
}

pub(super) fn draw(bytes: &[u8], limits: &Limits) -> Result<Pixels, Fault> {
    let tree = tree(bytes, limits)?;
    let size = tree.size();
    let longest = size.width().max(size.height());
    #[expect(clippy::cast_precision_loss, reason = "an edge is far below 2^24")]
    let most = limits.edge.max(1) as f32;
    let scale = longest.clamp(LEAST_EDGE.min(most), most) / longest;
    let sized = size.scale_by(scale).map(|size| size.to_int_size());
    let sized = sized.ok_or_else(|| Fault::broken("SVG", "it has no size"))?;
    let (width, height) = (sized.width(), sized.height());
    // Four bytes for each canvas: groups within groups take one each, filters
    // and masks a few more.
    let canvases = 4 + layers(tree.root());
    limits.check("SVG", width.into(), height.into(), 4 * canvases)?;
    let mut canvas = tiny_skia::Pixmap::new(width, height)
        .ok_or_else(|| Fault::broken("SVG", "it has no size"))?;
    let transform = tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut canvas.as_mut());
    Ok(premultiplied(width, height, canvas.data()))
}

/// How many canvases are drawn into at once: groups that are see-through,
/// masked or filtered are drawn apart, with those within them.
fn layers(group: &usvg::Group) -> u64 {
    let inner = group.children().iter().map(|child| match child {
        usvg::Node::Group(group) => layers(group),
        _ => 0,
    });
    let masked = group.mask().map_or(0, |mask| 1 + layers(mask.root()));
    let most = inner.max().unwrap_or(0).max(masked);
    most + u64::from(group.should_isolate())
}

fn tree(bytes: &[u8], limits: &Limits) -> Result<usvg::Tree, Fault> {
    if bytes.len() > LARGEST {
        return Err(Fault::TooLarge {
            what: "drawing",
            size: u64::try_from(bytes.len() >> 20).unwrap_or(u64::MAX),
            limit: u64::try_from(LARGEST >> 20).unwrap_or(u64::MAX),
        });
    }
    let (text, _) = super::text::decode(bytes);
    shallow(&text)?;
    let options = roxmltree::ParsingOptions {
        // Entities are in wide use by drawing programs; the reader bounds them.
        allow_dtd: true,
        nodes_limit: 1_000_000,
        ..Default::default()
    };
    let document = roxmltree::Document::parse_with_options(&text, options)
        .map_err(|error| Fault::broken("SVG", error))?;
    if weigh(&document) > MOST_ELEMENTS {
        return Err(Fault::TooIntricate {
            what: "more than 200000 shapes",
        });
    }
    let limits = *limits;
    let options = usvg::Options {
        fontdb: FONTS.clone(),
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(move |_, data, _| embedded(data, &limits)),
            resolve_string: Box::new(|_, _| None),
        },
        ..Default::default()
    };
    usvg::Tree::from_xmltree(&document, &options).map_err(|error| Fault::broken("SVG", error))
}

/// A picture within the drawing, if it is one that may be decoded.
fn embedded(data: Arc<Vec<u8>>, limits: &Limits) -> Option<usvg::ImageKind> {
    let form = form(&data)
        .ok()
        .filter(|form| form.kind() == Kind::Picture)?;
    let kind = match form {
        Form::Png => usvg::ImageKind::PNG,
        Form::Jpeg => usvg::ImageKind::JPEG,
        Form::Gif => usvg::ImageKind::GIF,
        Form::WebP => usvg::ImageKind::WEBP,
        _ => return None,
    };
    guard(form.name(), || picture::size(&data, form, limits)).ok()?;
    Some(kind(data))
}

/// Refuses elements within elements beyond what a stack can follow. Counts
/// tags only, before anything that calls itself sees the text.
fn shallow(text: &str) -> Result<(), Fault> {
    let mut depth = 0_usize;
    for tag in text.split('<').skip(1) {
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !tag.starts_with(['!', '?']) {
            let whole = tag.split('>').next().unwrap_or(tag);
            depth += usize::from(!whole.ends_with('/'));
        }
        if depth > DEEPEST {
            return Err(Fault::TooIntricate {
                what: "more than 200 levels of elements",
            });
        }
    }
    Ok(())
}

/// Counts the elements as drawn: each `use` stands for all that it refers to,
/// which a small file can multiply without end.
fn weigh(document: &roxmltree::Document) -> u64 {
    let named: HashMap<&str, roxmltree::NodeId> = document
        .descendants()
        .filter_map(|node| Some((node.attribute("id")?, node.id())))
        .collect();
    let mut known = HashMap::new();
    weight(document.root(), &named, &mut known, 0)
}

/// The weight of a node. Weights are found once; one that is still being found
/// refers to itself, and the drawer refuses those.
fn weight<'a>(
    node: roxmltree::Node<'a, 'a>,
    named: &HashMap<&str, roxmltree::NodeId>,
    known: &mut HashMap<roxmltree::NodeId, u64>,
    depth: usize,
) -> u64 {
    if depth > 2 * DEEPEST {
        return u64::MAX;
    }
    if let Some(weight) = known.get(&node.id()) {
        return *weight;
    }
    known.insert(node.id(), 0);
    let mut sum = 1_u64;
    for child in node.children().filter(roxmltree::Node::is_element) {
        sum = sum.saturating_add(weight(child, named, known, depth + 1));
    }
    let links = node.attributes().filter(|attribute| {
        matches!(
            attribute.name(),
            "href" | "marker-start" | "marker-mid" | "marker-end"
        ) || matches!(
            attribute.name(),
            "fill" | "stroke" | "mask" | "clip-path" | "filter"
        )
    });
    for link in links {
        let id = link
            .value()
            .trim()
            .trim_start_matches("url(")
            .trim_end_matches(')')
            .trim_matches(['"', '\'']);
        let target = id.strip_prefix('#').and_then(|id| named.get(id));
        let target = target.and_then(|id| node.document().get_node(*id));
        if let Some(target) = target {
            sum = sum.saturating_add(weight(target, named, known, depth + 1));
        }
    }
    known.insert(node.id(), sum);
    sum
}
