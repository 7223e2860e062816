//! The raw binding, for what the safe one has no words for: shares of several
//! GPUs, values of the header read as others, several LoRA files at once.
//!
//! Unsafe code stands in this file and in `raw/media` alone (`docs/decisions/0006`).

pub mod media;

use crate::protocol::tuning::{Override, SplitMode, Tuning};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_sys_2 as sys;
use std::ffi::{CString, c_char, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::{self, NonNull};

/// Tensors of experts, as llama.cpp's own `--cpu-moe` names them.
const EXPERTS: &std::ffi::CStr = c"\\.ffn_(up|down|gate|gate_up)_(ch|)exps";

/// What is told while loading: from 0 to 1; false ends it.
pub type Progress<'p> = &'p mut dyn FnMut(f32) -> bool;

/// Loads a model. None when it cannot be; llama.cpp's log says why.
pub fn load(
    path: &Path,
    tuning: &Tuning,
    gpu_layers: u32,
    vocabulary_only: bool,
    mut progress: Progress<'_>,
) -> Option<LlamaModel> {
    let path = CString::new(path.to_str()?).ok()?;
    let devices = devices(tuning);
    let overrides = overrides(tuning);
    let experts = experts(tuning);
    let shares = shares(tuning);
    // SAFETY: plain values; every pointer that is put in outlives the call.
    let model = unsafe {
        let mut params = sys::llama_model_default_params();
        params.vocab_only = vocabulary_only;
        params.n_gpu_layers = i32::try_from(gpu_layers).unwrap_or(i32::MAX);
        params.split_mode = match tuning.split_mode {
            SplitMode::None => sys::LLAMA_SPLIT_MODE_NONE,
            SplitMode::Layer => sys::LLAMA_SPLIT_MODE_LAYER,
            SplitMode::Row => sys::LLAMA_SPLIT_MODE_ROW,
        };
        params.load_mode = match (tuning.no_mmap, tuning.mlock) {
            (true, false) => sys::LLAMA_LOAD_MODE_NONE,
            (false, false) => sys::LLAMA_LOAD_MODE_MMAP,
            (true, true) => sys::LLAMA_LOAD_MODE_MLOCK,
            (false, true) => sys::LLAMA_LOAD_MODE_MMAP_MLOCK,
        };
        if let Some(devices) = &devices {
            params.devices = devices.as_ptr().cast_mut();
        }
        if !overrides.is_empty() {
            params.kv_overrides = overrides.as_ptr();
        }
        if !experts.is_empty() {
            params.tensor_buft_overrides = experts.as_ptr();
        }
        if !shares.is_empty() {
            params.tensor_split = shares.as_ptr();
        }
        params.progress_callback = Some(told);
        params.progress_callback_user_data = (&raw mut progress).cast();
        sys::llama_model_load_from_file(path.as_ptr(), params)
    };
    // SAFETY: `LlamaModel` is declared to have the form of its one pointer,
    // and frees it when dropped, as it does for models that it loads itself.
    NonNull::new(model).map(|model| unsafe { std::mem::transmute::<_, LlamaModel>(model) })
}

unsafe extern "C" fn told(part: f32, progress: *mut c_void) -> bool {
    // SAFETY: `load` passes the address of its own `progress`, and waits.
    let progress = unsafe { &mut *progress.cast::<Progress<'_>>() };
    progress(part)
}

/// The devices of these names, ended by null; None for all.
fn devices(tuning: &Tuning) -> Option<Vec<sys::ggml_backend_dev_t>> {
    let names = tuning.devices.as_ref()?;
    let mut found: Vec<sys::ggml_backend_dev_t> = names
        .iter()
        .filter_map(|name| CString::new(name.as_str()).ok())
        // SAFETY: a string that ends in nul; null is returned for none.
        .map(|name| unsafe { sys::ggml_backend_dev_by_name(name.as_ptr()) })
        .filter(|device| !device.is_null())
        .collect();
    found.push(ptr::null_mut());
    Some(found)
}

/// Values of the header, ended by one with no key.
fn overrides(tuning: &Tuning) -> Vec<sys::llama_model_kv_override> {
    if tuning.overrides.is_empty() {
        return Vec::new();
    }
    let blank = || sys::llama_model_kv_override {
        tag: sys::LLAMA_KV_OVERRIDE_TYPE_INT,
        key: [0; 128],
        __bindgen_anon_1: sys::llama_model_kv_override__bindgen_ty_1 { val_i64: 0 },
    };
    let mut list: Vec<_> = tuning
        .overrides
        .iter()
        .map(|(key, value)| {
            let mut one = blank();
            copy(key, &mut one.key);
            match value {
                Override::Int(n) => one.__bindgen_anon_1.val_i64 = *n,
                Override::Float(n) => {
                    one.tag = sys::LLAMA_KV_OVERRIDE_TYPE_FLOAT;
                    one.__bindgen_anon_1.val_f64 = *n;
                }
                Override::Bool(on) => {
                    one.tag = sys::LLAMA_KV_OVERRIDE_TYPE_BOOL;
                    one.__bindgen_anon_1.val_bool = *on;
                }
                Override::Text(text) => {
                    one.tag = sys::LLAMA_KV_OVERRIDE_TYPE_STR;
                    let mut field = [0; 128];
                    copy(text, &mut field);
                    one.__bindgen_anon_1.val_str = field;
                }
            }
            one
        })
        .collect();
    list.push(blank());
    list
}

/// Copies a text that is shorter than the field, which is all nul.
fn copy(text: &str, field: &mut [c_char; 128]) {
    for (to, from) in field.iter_mut().take(127).zip(text.bytes()) {
        *to = c_char::from_ne_bytes([from]);
    }
}

/// Where experts go, when they are to stay on the processor.
fn experts(tuning: &Tuning) -> Vec<sys::llama_model_tensor_buft_override> {
    if !tuning.cpu_moe {
        return Vec::new();
    }
    vec![
        sys::llama_model_tensor_buft_override {
            pattern: EXPERTS.as_ptr(),
            // SAFETY: a function without conditions.
            buft: unsafe { sys::ggml_backend_cpu_buffer_type() },
        },
        sys::llama_model_tensor_buft_override {
            pattern: ptr::null(),
            buft: ptr::null_mut(),
        },
    ]
}

/// A share for each device that llama.cpp may know.
fn shares(tuning: &Tuning) -> Vec<f32> {
    if tuning.tensor_split.is_empty() {
        return Vec::new();
    }
    let mut shares = tuning.tensor_split.clone();
    shares.resize(llama_cpp_2::max_devices().max(1), 0.0);
    shares
}

/// A LoRA file that is loaded. It lives as long as its model, which frees it.
#[derive(Clone, Copy)]
pub struct Lora<'m>(
    NonNull<sys::llama_adapter_lora>,
    PhantomData<&'m LlamaModel>,
);

/// Loads a LoRA file for this model. None when it does not fit; llama.cpp's
/// log says why.
pub fn lora<'m>(model: &'m LlamaModel, path: &Path) -> Option<Lora<'m>> {
    let path = CString::new(path.to_str()?).ok()?;
    // SAFETY: `LlamaModel` has the form of its one pointer; the call adds the
    // adapter to the model's own list and changes nothing else of it.
    let lora = unsafe {
        let model = *ptr::from_ref(model).cast::<*mut sys::llama_model>();
        sys::llama_adapter_lora_init(model, path.as_ptr())
    };
    NonNull::new(lora).map(|lora| Lora(lora, PhantomData))
}

/// Lays these over the context's model, and no others. False when the context
/// cannot be reached.
pub fn lay(context: &mut LlamaContext<'_>, loras: &[(Lora<'_>, f32)]) -> bool {
    let Some(context) = pointer(context) else {
        return false;
    };
    let mut list: Vec<*mut sys::llama_adapter_lora> =
        loras.iter().map(|(lora, _)| lora.0.as_ptr()).collect();
    let mut scales: Vec<f32> = loras.iter().map(|(_, scale)| *scale).collect();
    // SAFETY: as many adapters as scales, all of this context's model.
    let result = unsafe {
        sys::llama_set_adapters_lora(context, list.as_mut_ptr(), list.len(), scales.as_mut_ptr())
    };
    result == 0
}

/// The context's pointer, which the safe binding shows only in its debug
/// output: `LlamaContext { context: 0x… }`.
fn pointer(context: &LlamaContext<'_>) -> Option<*mut sys::llama_context> {
    let shown = format!("{context:?}");
    let digits = shown
        .strip_prefix("LlamaContext { context: 0x")?
        .strip_suffix(" }")?;
    let address = usize::from_str_radix(digits, 16).ok()?;
    let pointer = ptr::with_exposed_provenance_mut::<sys::llama_context>(address);
    (!pointer.is_null()).then_some(pointer)
}

/// Writes a model anew in another number type.
pub fn quantize(from: &Path, to: &Path, ftype: u32, threads: i32, again: bool) -> bool {
    let names = [from, to].map(|p| p.to_str().and_then(|p| CString::new(p).ok()));
    let [Some(from), Some(to)] = names else {
        return false;
    };
    // SAFETY: plain values and two strings that outlive the call.
    unsafe {
        let mut params = sys::llama_model_quantize_default_params();
        params.nthread = threads;
        params.ftype = ftype as sys::llama_ftype;
        params.allow_requantize = again;
        sys::llama_model_quantize(from.as_ptr(), to.as_ptr(), &raw const params) == 0
    }
}
