//! The raw binding of mtmd, llama.cpp's library for pictures and sounds: the
//! safe one can neither keep what was encoded nor stop in the middle of it.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_sys_2 as sys;
use std::ffi::{CStr, CString, c_char, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::{self, NonNull};

/// Told the number of each layer that is computed, from 0; false ends the
/// encoding, whose result is then of no use.
pub type Watch<'w> = Box<dyn Fn(u32) -> bool + 'w>;

/// A loaded mmproj file.
pub struct Projector<'m> {
    context: NonNull<sys::mtmd_context>,
    model: *const sys::llama_model,
    // Outlives the context, which holds its address.
    _watch: Box<Watch<'m>>,
    _model: PhantomData<&'m LlamaModel>,
}

/// What one picture or sound is to the model.
pub enum Part {
    Tokens(Vec<LlamaToken>),
    Media(Chunk),
}

/// A picture, or a part of one, or a stretch of sound, ready to be encoded.
pub struct Chunk(NonNull<sys::mtmd_input_chunk>);

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: made by `mtmd_input_chunk_copy`, freed once.
        unsafe { sys::mtmd_input_chunk_free(self.0.as_ptr()) }
    }
}

impl Chunk {
    /// Cells of the KV cache that it takes.
    pub fn tokens(&self) -> usize {
        // SAFETY: a valid chunk.
        unsafe { sys::mtmd_input_chunk_get_n_tokens(self.0.as_ptr()) }
    }

    /// Positions that it takes: fewer than tokens for models with M-RoPE.
    pub fn positions(&self) -> usize {
        // SAFETY: a valid chunk.
        let positions = unsafe { sys::mtmd_input_chunk_get_n_pos(self.0.as_ptr()) };
        usize::try_from(positions).unwrap_or(0)
    }
}

/// Loads an mmproj file for this model. None when it does not fit; the log says
/// why.
pub fn load<'m>(
    model: &'m LlamaModel,
    path: &Path,
    use_gpu: bool,
    threads: i32,
    watch: Watch<'m>,
) -> Option<Projector<'m>> {
    let path = CString::new(path.to_str()?).ok()?;
    let watch = Box::new(watch);
    // SAFETY: plain values; the watch's address stays valid until the context
    // is freed, for both are in one `Projector`; `LlamaModel` has the form of
    // its one pointer.
    unsafe {
        sys::mtmd_helper_log_set(Some(logged), ptr::null_mut());
        let model = *ptr::from_ref(model).cast::<*mut sys::llama_model>();
        let mut params = sys::mtmd_context_params_default();
        params.use_gpu = use_gpu;
        params.print_timings = false;
        params.n_threads = threads;
        // The first picture would else wait for nothing.
        params.warmup = false;
        params.cb_eval = Some(computed);
        params.cb_eval_user_data = ptr::from_ref::<Watch<'m>>(&watch).cast_mut().cast();
        let context = sys::mtmd_init_from_file(path.as_ptr(), model, params);
        Some(Projector {
            context: NonNull::new(context)?,
            model,
            _watch: watch,
            _model: PhantomData,
        })
    }
}

impl Drop for Projector<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `mtmd_init_from_file`, freed once.
        unsafe { sys::mtmd_free(self.context.as_ptr()) }
    }
}

impl Projector<'_> {
    pub fn sees(&self) -> bool {
        // SAFETY: a valid context.
        unsafe { sys::mtmd_support_vision(self.context.as_ptr()) }
    }

    pub fn hears(&self) -> bool {
        // SAFETY: a valid context.
        unsafe { sys::mtmd_support_audio(self.context.as_ptr()) }
    }

    /// Samples in a second of the sounds that it takes.
    pub fn sample_rate(&self) -> Option<u32> {
        // SAFETY: a valid context.
        let rate = unsafe { sys::mtmd_get_audio_sample_rate(self.context.as_ptr()) };
        u32::try_from(rate).ok().filter(|rate| *rate > 0)
    }

    /// Whether all of a picture must be decoded at once.
    pub fn needs_whole(&self, chunk: &Chunk) -> bool {
        // SAFETY: a valid context and chunk.
        unsafe { sys::mtmd_decode_use_non_causal(self.context.as_ptr(), chunk.0.as_ptr()) }
    }

    /// A picture's parts; `rgb` holds three bytes for each pixel, row by row.
    pub fn picture(&self, width: u32, height: u32, rgb: &[u8]) -> Option<Vec<Part>> {
        let size = (width as usize)
            .checked_mul(height as usize)?
            .checked_mul(3)?;
        if width == 0 || height == 0 || size != rgb.len() {
            return None;
        }
        // SAFETY: as many bytes as were told, which mtmd copies.
        let bitmap = unsafe { sys::mtmd_bitmap_init(width, height, rgb.as_ptr()) };
        self.parts(bitmap)
    }

    /// A sound's parts; samples from -1 to 1 at [`Self::sample_rate`].
    pub fn sound(&self, samples: &[f32]) -> Option<Vec<Part>> {
        if samples.is_empty() {
            return None;
        }
        // SAFETY: as many samples as were told, which mtmd copies.
        let bitmap = unsafe { sys::mtmd_bitmap_init_from_audio(samples.len(), samples.as_ptr()) };
        self.parts(bitmap)
    }

    /// Frees the bitmap.
    fn parts(&self, bitmap: *mut sys::mtmd_bitmap) -> Option<Vec<Part>> {
        if bitmap.is_null() {
            return None;
        }
        // SAFETY: the chunks and the bitmap are freed once, after all use; the
        // text is a nul-terminated constant.
        unsafe {
            let chunks = sys::mtmd_input_chunks_init();
            let marker = CStr::from_ptr(sys::mtmd_default_marker());
            let text = sys::mtmd_input_text {
                text: marker.as_ptr(),
                text_len: marker.to_bytes().len(),
                add_special: false,
                parse_special: true,
            };
            let mut bitmaps = [bitmap.cast_const()];
            let result = sys::mtmd_tokenize(
                self.context.as_ptr(),
                chunks,
                &raw const text,
                bitmaps.as_mut_ptr(),
                1,
            );
            let parts = (result == 0).then(|| copies(chunks)).flatten();
            sys::mtmd_input_chunks_free(chunks);
            sys::mtmd_bitmap_free(bitmap);
            parts
        }
    }

    /// Computes what the model is given: a row of numbers for each token. None
    /// when it failed; the log says why.
    pub fn encode(&mut self, chunk: &Chunk) -> Option<Vec<f32>> {
        // SAFETY: a valid context and chunk; the output has as many numbers as
        // mtmd.h says.
        unsafe {
            if sys::mtmd_encode_chunk(self.context.as_ptr(), chunk.0.as_ptr()) != 0 {
                return None;
            }
            let output = sys::mtmd_get_output_embd(self.context.as_ptr());
            let width = usize::try_from(sys::llama_model_n_embd_inp(self.model)).ok()?;
            let length = width.checked_mul(chunk.tokens())?;
            (!output.is_null()).then(|| std::slice::from_raw_parts(output, length).to_vec())
        }
    }

    /// Numbers for each token.
    pub fn width(&self) -> usize {
        // SAFETY: the model lives longer than the projector.
        let width = unsafe { sys::llama_model_n_embd_inp(self.model) };
        usize::try_from(width).unwrap_or(0)
    }

    /// Has the model read what was encoded, from this position on.
    pub fn decode(
        &mut self,
        context: &mut LlamaContext<'_>,
        chunk: &Chunk,
        encoded: &mut [f32],
        position: i32,
        batch: i32,
    ) -> bool {
        let Some(context) = super::pointer(context) else {
            return false;
        };
        let mut after = 0;
        // SAFETY: valid pointers, and as many numbers as the chunk has tokens,
        // checked by the length.
        unsafe {
            encoded.len() == self.width() * chunk.tokens()
                && sys::mtmd_helper_decode_image_chunk(
                    self.context.as_ptr(),
                    context,
                    chunk.0.as_ptr(),
                    encoded.as_mut_ptr(),
                    position,
                    0,
                    batch.max(1),
                    &raw mut after,
                    None,
                    ptr::null_mut(),
                ) == 0
        }
    }
}

/// Copies of all chunks of a list.
///
/// # Safety
/// The list must be valid.
unsafe fn copies(chunks: *const sys::mtmd_input_chunks) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    // SAFETY: indices within the list; text tokens are copied at once.
    unsafe {
        for index in 0..sys::mtmd_input_chunks_size(chunks) {
            let chunk = sys::mtmd_input_chunks_get(chunks, index);
            if sys::mtmd_input_chunk_get_type(chunk) == sys::MTMD_INPUT_CHUNK_TYPE_TEXT {
                let mut count = 0;
                let tokens = sys::mtmd_input_chunk_get_tokens_text(chunk, &raw mut count);
                if tokens.is_null() || count == 0 {
                    continue;
                }
                let tokens = std::slice::from_raw_parts(tokens, count);
                parts.push(Part::Tokens(
                    tokens.iter().map(|t| LlamaToken(*t)).collect(),
                ));
            } else {
                let copy = sys::mtmd_input_chunk_copy(chunk);
                parts.push(Part::Media(Chunk(NonNull::new(copy)?)));
            }
        }
    }
    Some(parts)
}

/// Called for each tensor of the encoder's graph: first whether it is of
/// interest, then, if so, once it is computed.
unsafe extern "C" fn computed(
    tensor: *mut sys::ggml_tensor,
    ask: bool,
    watch: *mut c_void,
) -> bool {
    // SAFETY: ggml passes a tensor of its graph, whose name ends in nul, and the
    // address that `load` gave it.
    let (name, watch) = unsafe {
        let name = CStr::from_ptr((*tensor).name.as_ptr());
        (name.to_bytes(), &*watch.cast::<Watch<'_>>())
    };
    let layer = layer_of(name);
    match (ask, layer) {
        (true, layer) => layer.is_some(),
        (false, Some(layer)) => watch(layer),
        (false, None) => true,
    }
}

/// The layer that ends with the tensor of this name: mtmd calls it `ffn_out-3`.
fn layer_of(name: &[u8]) -> Option<u32> {
    let name = std::str::from_utf8(name).ok()?;
    name.strip_prefix("ffn_out-")?.parse().ok()
}

/// mtmd's log goes where llama.cpp's goes.
unsafe extern "C" fn logged(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    if text.is_null() {
        return;
    }
    // SAFETY: a nul-terminated line.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim_end();
    match level {
        sys::GGML_LOG_LEVEL_ERROR => tracing::error!("{text}"),
        sys::GGML_LOG_LEVEL_WARN => tracing::warn!("{text}"),
        _ => tracing::debug!("{text}"),
    }
}
