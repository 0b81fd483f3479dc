//! A provider plugin in Rust, with nothing but the standard library and the bindings that bindgen
//! makes from the ABI header. It shows what another language needs: no panic leaves a hook, one
//! exported function, constant descriptors.

#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case, dead_code)]

mod abi {
    include!(concat!(env!("SALVOR_BINDINGS"), "/bindings.rs"));
}

use abi::*;
use std::ffi::{CStr, CString};
use std::mem::size_of;
use std::os::raw::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

/// The descriptor is constant and never written to, so it may be shared.
#[repr(transparent)]
struct Constant<T>(T);
unsafe impl<T> Sync for Constant<T> {}

macro_rules! text {
    ($value:expr) => {
        concat!($value, "\0").as_ptr() as *const c_char
    };
}

// ---- a small safe layer -------------------------------------------------------------------------

#[derive(Clone, Copy)]
struct Call(*mut salvor_call);

impl Call {
    fn host(&self) -> &salvor_host {
        unsafe { &*(*self.0).host }
    }

    fn report(&self, status: salvor_status, message: &str) -> salvor_status {
        let message = CString::new(message).unwrap_or_default();
        match self.host().report {
            Some(report) => unsafe { report(self.0, status, message.as_ptr(), null(), null()) },
            None => status,
        }
    }

    fn integer(&self, option: &str) -> Option<i64> {
        let option = CString::new(option).ok()?;
        let mut value = 0i64;
        let status =
            unsafe { (self.host().option_integer?)(self.0, option.as_ptr(), &mut value) };
        (status == SALVOR_OK).then(|| value)
    }

    fn checkpoint(&self, kind: u32, json: &str) -> salvor_status {
        let json = CString::new(json).unwrap_or_default();
        match self.host().checkpoint {
            Some(checkpoint) => unsafe { checkpoint(self.0, kind, json.as_ptr()) },
            None => SALVOR_UNSUPPORTED,
        }
    }

    fn last_checkpoint(&self, kind: u32) -> Option<String> {
        let json = unsafe { (self.host().last_checkpoint?)(self.0, kind) };
        borrowed(json).map(str::to_owned)
    }

    fn interface<T>(&self, name: &[u8]) -> Option<&T> {
        let table = unsafe {
            (self.host().get_interface?)(self.0, name.as_ptr() as *const c_char, 1)
        };
        unsafe { (table as *const T).as_ref() }
    }
}

fn borrowed<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// A panic must not cross into C: it ends the hook like any other bug.
fn guarded(call: *mut salvor_call, hook: impl FnOnce(Call) -> salvor_status) -> salvor_status {
    let call = Call(call);
    match catch_unwind(AssertUnwindSafe(|| hook(call))) {
        Ok(status) => status,
        Err(cause) => {
            let cause = cause
                .downcast_ref::<&str>()
                .map(|text| text.to_string())
                .or_else(|| cause.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no text".to_owned());
            call.report(SALVOR_BUG, &format!("the plugin panicked: '{}'", cause))
        }
    }
}

// ---- hooks --------------------------------------------------------------------------------------

fn put_fact(call: Call) -> salvor_status {
    let number = call.integer("number").unwrap_or(0);
    assert!(number != 13, "thirteen");
    let value = CString::new(format!("{}", number)).unwrap_or_default();
    match call.interface::<salvor_inventory>(SALVOR_INVENTORY).and_then(|table| table.fact) {
        Some(fact) => unsafe {
            fact(call.0, text!("number"), SALVOR_FACT_IDENTITY, value.as_ptr())
        },
        None => SALVOR_UNSUPPORTED,
    }
}

unsafe extern "C" fn discover(call: *mut salvor_call) -> salvor_status {
    guarded(call, put_fact)
}

unsafe extern "C" fn observe(call: *mut salvor_call, _names: *const c_char) -> salvor_status {
    guarded(call, put_fact)
}

unsafe extern "C" fn restore(
    call: *mut salvor_call,
    _request: *const salvor_request,
) -> salvor_status {
    guarded(call, |call| {
        let plan = match call.interface::<salvor_plan>(SALVOR_PLAN) {
            Some(plan) => plan,
            None => return SALVOR_UNSUPPORTED,
        };
        let (decide, step) = match (plan.decide, plan.step) {
            (Some(decide), Some(step)) => (decide, step),
            _ => return SALVOR_UNSUPPORTED,
        };
        let status = unsafe { decide(call.0, text!("count"), text!("there is one way")) };
        if status != SALVOR_OK {
            return status;
        }
        let parameters =
            CString::new(format!("{{\"number\":{}}}", call.integer("number").unwrap_or(0)))
                .unwrap_or_default();
        let planned = salvor_planned_step {
            struct_size: size_of::<salvor_planned_step>() as u32,
            guard_count: 0,
            row: text!("set-number"),
            target: text!("the number"),
            parameters: parameters.as_ptr(),
            guards: null(),
            consequence: null(),
            confirmation: null(),
        };
        let mut index = 0u32;
        unsafe { step(call.0, &planned, &mut index) }
    })
}

fn wanted(step: *const salvor_step) -> String {
    let step = unsafe { &*step };
    borrowed(step.parameters).unwrap_or("").to_owned()
}

unsafe extern "C" fn run_step(
    call: *mut salvor_call,
    step: *const salvor_step,
) -> salvor_status {
    guarded(call, |call| {
        let status = call.checkpoint(SALVOR_CHECKPOINT_PRE_IMAGE, "{}");
        if status != SALVOR_OK {
            return status;
        }
        call.checkpoint(SALVOR_CHECKPOINT_CURSOR, &wanted(step))
    })
}

unsafe extern "C" fn check_step(
    call: *mut salvor_call,
    step: *const salvor_step,
    ret_answer: *mut u32,
) -> salvor_status {
    guarded(call, |call| {
        let done = call.last_checkpoint(SALVOR_CHECKPOINT_CURSOR).as_deref()
            == Some(wanted(step).as_str());
        unsafe {
            *ret_answer = if done { SALVOR_CHECK_DONE } else { SALVOR_CHECK_NOT_STARTED };
        }
        SALVOR_OK
    })
}

// ---- the descriptor -----------------------------------------------------------------------------

static OPTIONS: Constant<[salvor_option; 1]> = Constant([salvor_option {
    name: text!("number"),
    value_name: null(),
    default_value: text!("7"),
    help: text!("the number to set"),
    choices: null(),
    since: text!("0.1"),
    type_: SALVOR_OPTION_INTEGER,
    flags: 0,
    commands: SALVOR_ON_ALL,
    reserved: 0,
}]);

static ROWS: Constant<[salvor_row; 1]> = Constant([salvor_row {
    id: text!("set-number"),
    title: text!("set the number"),
    statements: text!("COUNT-001"),
    instructions: null(),
    undo: null(),
    deadline_ms: 10_000,
    effect: SALVOR_EFFECT_CHANGE,
    flags: SALVOR_ROW_IDEMPOTENT,
    attempts: 1,
    backoff_ms: 0,
    check_every_ms: 0,
    reserved: 0,
}]);

static STAGES: Constant<[salvor_stage; 1]> = Constant([salvor_stage {
    id: text!("count"),
    title: text!("count"),
    rows: &ROWS.0 as *const salvor_row,
    row_count: 1,
    row_size: size_of::<salvor_row>() as u32,
}]);

static PROCEDURES: Constant<[salvor_procedure; 1]> = Constant([salvor_procedure {
    id: text!("count"),
    title: text!("set the number"),
    document: text!("Manual of numbers"),
    versions: text!("all"),
    stages: &STAGES.0 as *const salvor_stage,
    stage_count: 1,
    stage_size: size_of::<salvor_stage>() as u32,
    kind: SALVOR_PROCEDURE_RESTORE,
    reserved: 0,
}]);

static NEEDS: Constant<[salvor_need; 2]> = Constant([
    salvor_need { interface_name: text!("salvor.inventory"), min_version: 1, required: 1 },
    salvor_need { interface_name: text!("salvor.plan"), min_version: 1, required: 1 },
]);

static HOOKS: Constant<salvor_hooks> = Constant(salvor_hooks {
    struct_size: size_of::<salvor_hooks>() as u32,
    reserved: 0,
    discover: Some(discover),
    validate: None,
    backup: None,
    restore: Some(restore),
    post_resync: None,
    run_step: Some(run_step),
    check_step: Some(check_step),
    observe: Some(observe),
});

const fn tag() -> [c_char; 16] {
    let mut tag = [0 as c_char; 16];
    let mut at = 0;
    while at < SALVOR_ABI_TAG.len() {
        tag[at] = SALVOR_ABI_TAG[at] as c_char;
        at += 1;
    }
    tag
}

static PLUGIN: Constant<salvor_plugin> = Constant(salvor_plugin {
    magic: SALVOR_ABI_MAGIC,
    abi_major: SALVOR_ABI_MAJOR as u16,
    abi_minor: SALVOR_ABI_MINOR as u16,
    struct_size: size_of::<salvor_plugin>() as u32,
    min_host_minor: SALVOR_ABI_MINOR as u16,
    reserved: 0,
    abi_tag: tag(),
    flags: 0,
    name: text!("rust-count"),
    version: text!("0.1.0"),
    summary: text!("a number, in Rust"),
    maintainer: text!("the salvor authors <salvor@example.org>"),
    homepage: null(),
    license: text!("Apache-2.0"),
    options: &OPTIONS.0 as *const salvor_option,
    procedures: &PROCEDURES.0 as *const salvor_procedure,
    findings: null(),
    declared_reads: null(),
    needs: &NEEDS.0 as *const salvor_need,
    hooks: &HOOKS.0,
    option_count: 1,
    option_size: size_of::<salvor_option>() as u32,
    procedure_count: 1,
    procedure_size: size_of::<salvor_procedure>() as u32,
    finding_count: 0,
    finding_size: 0,
    declared_read_count: 0,
    declared_read_size: 0,
    need_count: 2,
    need_size: size_of::<salvor_need>() as u32,
});

/// The one exported function.
#[no_mangle]
pub extern "C" fn salvor_plugin_v1(_host: *const salvor_host) -> *const salvor_plugin {
    &PLUGIN.0
}
