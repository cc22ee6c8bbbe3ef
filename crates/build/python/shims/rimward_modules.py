"""The function's own modules and files.

They are read when the component is built, since its folder is not there when it runs. Module scope is run at build time, to
find mistakes and to have everything imported that it imports, and again when an instance starts: what it reads of the
environment, the clock or chance must not be the builder's. Installed packages are imported once, at build time.
"""

import ast
import builtins
import codecs
import importlib
import importlib.abc
import importlib.util
import io
import os
import sys

import rimward_task as task

TASK = "/var/task"
# A file, at most, in bytes, and all of them.
_MAX_FILE = 1 << 20
_MAX_FILES = 4 << 20

_codes = {}
_files = {}

# Codecs are imported when a text is first read or written with them, by a name that no import tells of.
_CODECS = """ascii base64 charmap cp1252 hex idna iso8859-1 iso8859-15 punycode quopri raw-unicode-escape rot13 unicode-escape
utf-7 utf-8 utf-8-sig utf-16 utf-16-be utf-16-le utf-32 utf-32-be utf-32-le"""
for _name in _CODECS.split():
    codecs.lookup(_name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that were read."""

    def find_spec(self, name, _path=None, _target=None):
        if name not in _codes:
            return None
        _code, path, is_package = _codes[name]
        spec = importlib.util.spec_from_loader(name, self, origin=path, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(path)]
        return spec

    def create_module(self, _spec):
        return None

    def exec_module(self, module):
        exec(_codes[module.__name__][0], module.__dict__)

    def get_data(self, path):
        try:
            return _files[path]
        except KeyError:
            raise FileNotFoundError(path) from None


def read(root, packages):
    """Reads the function's folder, and the modules of installed packages that may be imported late."""
    total = 0
    for path, below in _walk(root):
        with open(path, "rb") as file:
            content = file.read(_MAX_FILE + 1)
        if below.endswith(".py"):
            _compile(below, content)
        elif len(content) <= _MAX_FILE and total + len(content) <= _MAX_FILES:
            total += len(content)
            _files[f"{TASK}/{below}"] = content
    _add_namespaces()
    own = set(_codes)
    if packages:
        for path, below in _walk(packages):
            if below.endswith(".py"):
                with open(path, "rb") as file:
                    _compile(below, file.read())
        _add_namespaces()
    sys.meta_path.insert(0, _Finder())
    return own


def _add_namespaces():
    """A folder without `__init__.py` is a package too."""
    for name in list(_codes):
        while "." in name:
            name = name.rpartition(".")[0]
            if name not in _codes:
                path = f"{TASK}/{name.replace('.', '/')}/__init__.py"
                _codes[name] = (compile("", path, "exec"), path, True)


def _walk(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in ("__pycache__", "events", "node_modules"))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith((".pyc", ".wasm")):
                path = os.path.join(folder, name)
                yield path, os.path.relpath(path, root)


def _compile(below, source):
    parts = below.removesuffix(".py").split("/")
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    if name and name not in _codes:
        path = f"{TASK}/{below}"
        try:
            _codes[name] = (compile(source, path, "exec", dont_inherit=True), path, is_package)
        except SyntaxError:
            # A file for another version is not an error unless it is imported, and then the import says so.
            if name == task.MODULE or name.split(".")[0] == task.MODULE.split(".")[0]:
                raise
            return
        _import_late(source)


def _import_late(source):
    """Imports what the standard library has of the imports of `source`, those in functions included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.split(".")[0] in sys.stdlib_module_names and name.split(".")[0] not in ("antigravity", "this"):
                try:
                    importlib.import_module(name)
                except Exception:
                    # The function's own import of it says what is wrong, where it is one.
                    continue


def handler(own):
    """Runs module scope and gives the handler."""
    for name in own & set(sys.modules):
        del sys.modules[name]
    module = importlib.import_module(task.MODULE)
    found = getattr(module, task.EXPORT, None)
    if not callable(found):
        names = ", ".join(name for name in vars(module) if not name.startswith("_")) or "nothing"
        raise AttributeError(f"rimward: {task.EXPORT} is not defined in {task.MODULE}; it defines {names}")
    return found


def forget(own):
    """Takes the function's modules out, to be run again."""
    for name in own & set(sys.modules):
        del sys.modules[name]


_open = builtins.open


def open_file(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """`open`, which finds the files that were read too."""
    if isinstance(file, (str, bytes, os.PathLike)) and not set(mode) & set("wax+"):
        path = os.fsdecode(file)
        path = os.path.normpath(path if path.startswith("/") else f"{TASK}/{path}")
        if path in _files:
            content = io.BytesIO(_files[path])
            return content if "b" in mode else io.TextIOWrapper(content, encoding or "utf-8", errors, newline)
    return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)


builtins.open = open_file
io.open = open_file
