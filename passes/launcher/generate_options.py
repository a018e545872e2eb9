"""Writes options.def: every option of clang's driver, how it takes its value, and what it means to the launcher.

Names and kinds are not typed in by hand and not guessed from help texts: `dump_options.cpp` prints the table that
clang's own driver parses with. Only the roles below are ours, and they are reviewed by hand. After a new LLVM release:

    python passes/launcher/generate_options.py            # rewrites options.def
    python passes/launcher/generate_options.py --check    # exit 1 if options.def is not what would be written

Needs a C++ compiler, llvm-config-22 with LLVM's headers, and libclang-cpp (a dependency of clang-22 itself).
"""

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

KINDS = {
    3: "Flag",
    4: "Joined",
    6: "Separate",
    7: "Remaining",
    9: "CommaJoined",
    11: "JoinedOrSeparate",
    12: "JoinedAndSeparate",
}
"""`llvm::opt::Option::OptionClass` to our names; 10 (MultiArg) carries its number of arguments in the name."""

ROLES: list[tuple[str, str]] = [
    # What the call asks for.
    (r"-o", "Output"),
    (r"-x", "Language"),
    (r"-c", "Compile"),
    (r"-S", "Assembly"),
    (r"-E|-M|-MM", "Preprocess"),
    (r"-fsyntax-only|--analyze|-extract-api|-rewrite-(legacy-)?objc|-module-file-info|-verify-pch", "Check"),
    (r"-###|--?print-(?!ivar).*|--version|--help.*|-help|-dump(version|machine|specs)|--target-help", "Query"),
    (r"-ccc-print-.*|--autocomplete=|-fdriver-only|-m(cpu|tune)=help", "Query"),
    (r"--driver-mode=", "DriverMode"),
    (r"--", "Remaining"),
    (r"-arch", "Arch"),
    (r"-Xclang", "ForwardFrontend"),
    (r"-Wp,|-Xpreprocessor", "ForwardPreprocessor"),
    # Calls whose result a plan cannot, or should not, decide. One role per reason that the log gives.
    (r"-fno-integrated-as|-via-file-asm", "ExternalAssembler"),
    (r"-fno-.*", "None"),
    (r"-MJ|-gen-cdb-fragment-path|-[gf]record-command-line|-gcodeview-command-line", "RecordsCommand"),
    (r"-flto.*|-fthin-?lto.*|-fthin-link.*|-ffat-lto.*|-foffload-lto.*|-fsplit-lto-unit|-funified-lto", "LinkTime"),
    (r"-fcodegen-data-.*|-fwhole-program-vtables", "LinkTime"),
    (r"-fsanitize.*|-fexperimental-sanitize-.*", "Sanitizer"),
    # Counts that the front end puts on the IR: a plan acts on them as clang does, and the key tells them.
    (r"-fprofile-instr-use=", "None"),
    (
        r"-f(cs-)?profile.*|-fcreate-profile|-ftest-coverage|-fcoverage-mapping|--?coverage|-fmemory-profile.*",
        "Profile",
    ),
    (r"-fpseudo-probe-for-profiling|-p|-pg|-finstrument-.*|-fxray.*", "Profile"),
    (r"-emit-llvm|-emit-ast|-emit-cir|-emit-.*|--emit-extension-symbol-graphs|-fembed-bitcode.*", "NotAnObject"),
    (r"-fclangir.*|-clangir.*", "NotAnObject"),
    (r"--precompile|-fmodules?|-fmodule-.*|-fmodules-.*|-fcxx-modules|-fprebuilt-.*|-fimplicit-modules", "Modules"),
    (r"-gmodules|-relocatable-pch|-fpch-.*", "Modules"),
    (r"-fopenmp|-fopenmp=|-fopenmp-(target|cuda|is).*|-Xopenmp-.*|-fopenacc", "Offload"),
    (r"--offload.*|--no-offload.*|-fembed-offload.*|-Xcuda-.*|-Xoffload-.*|--libomptarget-.*", "Offload"),
    (r"-Xarch_.*", "PerArchitecture"),
    (r"-ObjC(\+\+)?", "OtherLanguage"),
    (r"-fplugin.*|-fpass-plugin=", "Plugin"),
    (r"-save-temps.*", "SaveTemps"),
    (r"-working-directory", "WorkingDirectory"),
    (r"--config=", "Configuration"),
    # Second files beside the object, and reports: not wanted when the source is compiled again to measure a plan.
    (r"-gsplit-dwarf=?|-ftime-trace.*|-save-stats.*|-fstack-usage|-f(save-)?optimization-record.*", "SideOutput"),
    (r"--?serialize-diagnostics|-dumpdir|-dependency-(dot|file)|-module-dependency-dir|-fproc-stat-.*", "SideOutput"),
    (r"-ftime-report.*|-v|-time|-H|-fstack-usage", "SideOutput"),
    # In clang's linker groups, yet read by the compiler too: position independence, predefined macros.
    (r"-undef|-static|-static-pie|-pie|-no-pie|-nopie|-shared|-nostdlib", "None"),
]
"""Regular expressions for a whole option name (without its alias), and its role. The first match counts."""

GROUP_ROLES: list[tuple[str, str]] = [
    ("<O group>", "Optimize"),
    ("<M group>", "Dependency"),
    ("<CUDA group>", "Offload"),
    ("<HIP group>", "Offload"),
    ("<HLSL group>", "Offload"),
    ("<SYCL group>", "Offload"),
    ("<offload group>", "Offload"),
    ("<opencl group>", "Offload"),
    ("clang-dxc options", "Offload"),
    ("<-fsanitize-coverage group>", "Sanitizer"),
    ("<T/e/s/t/u group>", "Linker"),
    ("<static analyzer group>", "None"),
]
"""Roles for whole groups of clang's own table, for names that no expression above matches."""


@dataclass(frozen=True, slots=True)
class Row:
    """One spelling of an option."""

    spelling: str
    """The option with its prefix, such as `--output=`."""
    kind: str
    """How its value is given, an enumerator of `Kind` in options.h."""
    role: str
    """What it means to the launcher, an enumerator of `Role` in options.h."""


def role_of(name: str, groups: list[str]) -> str:
    """The role of an option.

    Args:
        name: the option's name with its first prefix; for an alias, that of the option it stands for.
        groups: the names of the groups it is in, innermost first.
    """
    for pattern, role in ROLES:
        if re.fullmatch(pattern, name):
            return role
    return next((role for group in groups for known, role in GROUP_ROLES if group == known), "None")


def rows_of(table: str) -> list[Row]:
    """Rows for all driver options.

    Args:
        table: what dump_options prints.
    """
    rows = []
    for line in table.splitlines():
        kind, name, prefixes, n_arguments, groups, alias, visible = line.split("\t")
        if visible != "1" or not prefixes:
            continue
        kind_name = f"MultiArg{n_arguments}" if kind == "10" else KINDS.get(int(kind))
        if kind_name is None:
            raise SystemExit(f"generate_options: option {name!r} has kind {kind}, which options.cpp does not know")
        first = prefixes.split()[0] + name
        role = role_of(alias or first, [group for group in groups.split(";") if group])
        # Windows spellings (/option) are not options to clang in its usual driver mode: they are file names.
        rows += [Row(prefix + name, kind_name, role) for prefix in prefixes.split() if prefix != "/"]
    # Flags before other kinds of the same spelling: clang tries them in that order.
    return sorted(set(rows), key=lambda row: (row.spelling.encode(), row.kind != "Flag", row.kind))


def dump(llvm_config: str, compiler: str) -> str:
    """Build and run dump_options.cpp, and return what it prints.

    Args:
        llvm_config: the program that says where LLVM's headers and libraries are.
        compiler: a C++17 compiler.
    """

    def ask(*arguments: str) -> list[str]:
        return subprocess.run([llvm_config, *arguments], check=True, capture_output=True, text=True).stdout.split()

    library_directory = ask("--libdir")[0]
    libraries = sorted(Path(library_directory).glob("libclang-cpp.so*"))
    if not libraries:
        raise SystemExit(f"generate_options: no libclang-cpp.so in {library_directory}; install clang of that version")
    with tempfile.TemporaryDirectory() as directory:
        program = str(Path(directory) / "dump")
        command = [compiler, "-std=c++17", *ask("--cppflags"), str(HERE / "dump_options.cpp"), "-o", program]
        command += [str(libraries[0]), f"-L{library_directory}", f"-Wl,-rpath,{library_directory}", *ask("--libs")]
        subprocess.run(command, check=True)
        return subprocess.run([program], check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Write or check options.def."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only, exit 1 on a difference")
    parser.add_argument("--llvm-config", default="llvm-config-22", help="default: %(default)s")
    parser.add_argument("--compiler", default="c++", help="default: %(default)s")
    options = parser.parse_args()
    text = (
        "// Generated by generate_options.py from the option table of clang 22. Do not edit: change roles there.\n"
        "// OPTION(spelling, how the value is given, what it means to the launcher), sorted by spelling.\n"
    )
    for row in rows_of(dump(options.llvm_config, options.compiler)):
        text += f'OPTION("{row.spelling}", {row.kind}, {row.role})\n'
    target = HERE / "options.def"
    if options.check:
        same = target.exists() and target.read_text() == text
        print(f"{target.name}: {'up to date' if same else 'differs, run generate_options.py'}", file=sys.stderr)
        return 0 if same else 1
    target.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
