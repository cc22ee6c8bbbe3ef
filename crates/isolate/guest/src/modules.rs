//! The modules that a function can import or require (`cloudfront-functions.md` sections 10.4, 10.5, 11), and [`rimward`], which is ours.

pub(crate) mod buffer;
pub(crate) mod cloudfront;
pub(crate) mod crypto;
pub(crate) mod querystring;
pub(crate) mod rimward;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use boa_engine::{
    Context, Finalize, JsArgs, JsError, JsNativeError, JsObject, JsResult, JsValue, Module, NativeFunction, Trace,
    js_string,
    module::{ModuleLoader, ModuleRequest, Referrer},
};

use crate::{
    byte_strings,
    engine::{Runtime, Terms},
    errors,
    text::utf8,
};

thread_local! {
    static RUNTIME: Cell<Runtime> = const { Cell::new(Runtime::V2) };
}

/// The runtime of the function that is loaded.
pub(crate) fn runtime() -> Runtime {
    RUNTIME.get()
}

/// The module objects by name.
#[derive(Clone, Trace, Finalize)]
pub(crate) struct Modules {
    crypto: JsObject,
    querystring: JsObject,
    buffer: JsObject,
    cloudfront: JsObject,
    rimward: JsObject,
}

impl Modules {
    /// Makes the modules, the globals `require` and `Buffer`, and fills the loader of imports.
    pub(crate) fn install(context: &mut Context, loader: &Loader) -> JsResult<Self> {
        let modules = Self {
            buffer: buffer::install(context)?,
            crypto: crypto::module(context)?,
            querystring: querystring::module(context)?,
            cloudfront: cloudfront::module(context)?,
            rimward: rimward::module(context)?,
        };
        for name in ["crypto", "querystring", "buffer", "cloudfront", "rimward"] {
            if let Some(object) = modules.get(name) {
                let module = Module::from_value_as_default(object.into(), context);
                loader.modules.borrow_mut().push((name, module));
            }
        }
        let require = NativeFunction::from_copy_closure_with_captures(
            |_, args, modules: &Self, context| {
                let name = args.get_or_undefined(0).to_string(context)?;
                let name = utf8(&name);
                // `cloudfront` can be imported only.
                let found = if name == "cloudfront" { None } else { modules.get(&name) };
                found.map(JsValue::from).ok_or_else(|| cannot_find(&name))
            },
            modules.clone(),
        );
        context.register_global_callable(js_string!("require"), 1, require)?;
        Ok(modules)
    }

    /// Shows what the runtime has: 1.0 knows neither `Buffer` nor `atob` and `btoa`, but byte strings and `MemoryError`.
    pub(crate) fn select(&self, context: &mut Context, terms: Terms) -> JsResult<()> {
        RUNTIME.set(terms.runtime);
        cloudfront::kvs::set_store(terms.store);
        if terms.runtime == Runtime::V1 {
            for name in ["Buffer", "atob", "btoa"] {
                context.global_object().delete_property_or_throw(js_string!(name), context)?;
            }
            byte_strings::install(context);
            errors::define("MemoryError", context)?;
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<JsObject> {
        match name {
            "crypto" => Some(&self.crypto),
            "querystring" => Some(&self.querystring),
            // An extension has no vendor's runtime to be missing in.
            "rimward" => Some(&self.rimward),
            "buffer" if runtime() == Runtime::V2 => Some(&self.buffer),
            "cloudfront" if runtime() == Runtime::V2 => Some(&self.cloudfront),
            _ => None,
        }
        .cloned()
    }
}

fn cannot_find(name: &str) -> JsError {
    JsNativeError::error().with_message(format!("Cannot find module \"{name}\"")).into()
}

/// Answers `import`.
#[derive(Default)]
pub(crate) struct Loader {
    modules: RefCell<Vec<(&'static str, Module)>>,
}

impl ModuleLoader for Loader {
    async fn load_imported_module(
        self: Rc<Self>,
        _referrer: Referrer,
        request: ModuleRequest,
        _context: &RefCell<&mut Context>,
    ) -> JsResult<Module> {
        let name = utf8(request.specifier());
        let hidden = runtime() == Runtime::V1 && matches!(&*name, "buffer" | "cloudfront");
        let modules = self.modules.borrow();
        let found = modules.iter().find(|(n, _)| *n == name && !hidden);
        found.map(|(_, module)| module.clone()).ok_or_else(|| cannot_find(&name))
    }
}
