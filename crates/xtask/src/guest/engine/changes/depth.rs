//! What exceptions leave on the stack, and how deep calls and conversions may go.

use super::Change;

pub(super) const DEPTH: &[Change] = &[
    // What was pushed for a call that is not to be goes when the exception is caught, by the function or by a native one between; else
    // each one would leave it on the stack, and the next call would take it for its arguments.
    (
        "src/vm/mod.rs",
        "        self.frame_mut()
            .environments
            .truncate(environment_sp as usize);

        true",
        "        self.frame_mut()
            .environments
            .truncate(environment_sp as usize);

        let frame = self.frame();
        let registers_end = (frame.rp + frame.code_block().register_count) as usize;
        self.stack.stack.truncate(registers_end);

        true",
    ),
    (
        "src/vm/mod.rs",
        "            if exit_early {
                return ControlFlow::Break",
        "            if exit_early {
                self.vm.frame_mut().environments.truncate(env_fp as usize);
                let frame = self.vm.frames.last().expect(\"frame must exist\");
                self.vm.stack.truncate_to_frame(frame);
                return ControlFlow::Break",
    ),
    (
        "src/vm/mod.rs",
        "    /// Truncate the stack to the given frame.",
        "    /// How many values are on the stack.
    pub(crate) fn height(&self) -> usize {
        self.stack.len()
    }

    /// Drops what was pushed since the stack had this height.
    #[cold]
    pub(crate) fn truncate_to_height(&mut self, height: usize) {
        self.stack.truncate(height);
    }

    /// Truncate the stack to the given frame.",
    ),
    (
        "src/object/operations.rs",
        "        context.vm.stack.push(this.clone()); // this",
        "        let height = context.vm.stack.height();
        context.vm.stack.push(this.clone()); // this",
    ),
    (
        "src/object/operations.rs",
        "        if self.__call__(argument_count).resolve(context)? {",
        "        let called = self.__call__(argument_count).resolve(context);
        if called.inspect_err(|_| context.vm.stack.truncate_to_height(height))? {",
    ),
    (
        "src/object/operations.rs",
        "        context.vm.stack.push(JsValue::undefined());
        context.vm.stack.push(self.clone()); // func",
        "        let height = context.vm.stack.height();
        context.vm.stack.push(JsValue::undefined());
        context.vm.stack.push(self.clone()); // func",
    ),
    (
        "src/object/operations.rs",
        "        if self.__construct__(argument_count).resolve(context)? {",
        "        let constructed = self.__construct__(argument_count).resolve(context);
        if constructed.inspect_err(|_| context.vm.stack.truncate_to_height(height))? {",
    ),
    // Calls that go too deep are the function's to catch, as any other error.
    (
        "src/vm/mod.rs",
        "return Err(RuntimeLimitError::Recursion.into());",
        "return Err(Self::too_deep());",
    ),
    (
        "src/vm/mod.rs",
        "return Err(RuntimeLimitError::StackSize.into());",
        "return Err(Self::too_deep());",
    ),
    (
        "src/vm/mod.rs",
        "    /// Checks if we haven't exceeded the defined runtime limits.",
        "    #[cold]
    #[inline(never)]
    fn too_deep() -> JsError {
        JsNativeError::range().with_message(\"Maximum call stack size exceeded\").into()
    }

    /// Checks that a native function is not called too deep. It pushes no frame, and the engine's own (a promise's functions, say) must not
    /// fail where the language says that they cannot: so they may be called from the deepest frame, and a little deeper.
    pub(crate) fn check_native_limit(&self) -> JsResult<()> {
        const SLACK: usize = 16;
        let depth = self.vm.frames.len() + self.vm.host_call_depth;
        if depth > self.vm.runtime_limits.recursion_limit() + SLACK {
            return Err(Self::too_deep());
        }
        Ok(())
    }

    /// Checks if we haven't exceeded the defined runtime limits.",
    ),
    (
        "src/native_function/mod.rs",
        "    // We technically don't need this since native functions don't push any new frames to the
    // vm, but we'll eventually have to combine the native stack with the vm stack.
    context.check_runtime_limits()?;",
        "    context.check_native_limit()?;",
    ),
    // A generator that goes on pushes a frame as any call does.
    (
        "src/builtins/generator/mod.rs",
        "        // 1. Let state be ? GeneratorValidate(generator, generatorBrand).",
        "        context.check_runtime_limits()?;
        // 1. Let state be ? GeneratorValidate(generator, generatorBrand).",
    ),
    (
        "src/builtins/async_generator/mod.rs",
        "        // 1. Let generator be the this value.",
        "        context.check_runtime_limits()?;
        // 1. Let generator be the this value.",
    ),
    // A proxy has the prototype that its target or its handler says, so its own shape has none. With the shape of `{}` it would be taken
    // for one by the inline caches; of this shape nothing is ever found, and so nothing cached.
    (
        "src/builtins/proxy/mod.rs",
        "            context.intrinsics().constructors().object().prototype(),
            Self::new(target.clone(), handler.clone()),",
        "            None::<JsObject>,
            Self::new(target.clone(), handler.clone()),",
    ),
    // An object that is converted within its own conversion is no cycle yet: how deep that goes is limited as calls are, also where all
    // functions on the way are native. A conversion counts as two, as a call and what it calls: nested arrays take that much stack. An array that is joined within its own joining is empty there, as in other engines.
    (
        "src/object/jsobject.rs",
        "        // Diverge from the spec here to make sure we aren't going to overflow the stack by converting
        // a recursive structure
        // We can follow v8 & SpiderMonkey's lead and return a default value for the hint in this situation
        // (see https://repl.it/repls/IvoryCircularCertification#index.js)
        let recursion_limiter = RecursionLimiter::new(self.as_ref());
        if recursion_limiter.live {
            // we're in a recursive object, bail
            return Ok(match hint {
                PreferredType::Number => JsValue::new(0),
                PreferredType::String => JsValue::new(js_string!()),
                PreferredType::Default => unreachable!(\"checked type hint in step 2\"),
            });
        }
",
        "        context.check_runtime_limits()?;
",
    ),
    (
        "src/object/jsobject.rs",
        "                let result = method.call(&self.clone().into(), &[], context)?;

                // ii. If Type(result) is not Object, return result.",
        "                context.vm.host_call_depth += 2;
                let result = method.call(&self.clone().into(), &[], context);
                context.vm.host_call_depth -= 2;
                let result = result?;

                // ii. If Type(result) is not Object, return result.",
    ),
    (
        "src/object/jsobject.rs",
        "    /// Diverges from the spec to prevent a stack overflow when the object is recursive.
    /// For example,
    /// ```javascript
    /// let a = [1];
    /// a[1] = a;
    /// console.log(a.toString()); // We print \"1,\"
    /// ```
    /// The spec doesn't mention what to do in this situation, but a naive implementation
    /// would overflow the stack recursively calling `toString()`. We follow v8 and SpiderMonkey
    /// instead by returning a default value for the given `hint` -- either `0.` or `\"\"`.
    /// Example in v8: <https://repl.it/repls/IvoryCircularCertification#index.js>
    ///
",
        "",
    ),
    (
        "src/builtins/array/mod.rs",
        "        // 7. Repeat, while k < len,
        for k in 0..len {
            // a. If k > 0, set R to the string-concatenation of R and sep.",
        "        let mut joining = None;
        // 7. Repeat, while k < len,
        for k in 0..len {
            // a. If k > 0, set R to the string-concatenation of R and sep.",
    ),
    (
        "src/builtins/array/mod.rs",
        "                element.to_string(context)?
            };
            // d. Set R to the string-concatenation of R and next.
            r.push(next.clone());",
        "                // Only conversions of objects can come back to this array.
                if element.is_object() && joining.is_none() {
                    let limiter = crate::object::RecursionLimiter::new(o.as_ref());
                    if limiter.live {
                        return Ok(js_string!().into());
                    }
                    joining = Some(limiter);
                }
                element.to_string(context)?
            };
            // d. Set R to the string-concatenation of R and next.
            r.push(next.clone());",
    ),
];
