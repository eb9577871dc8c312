# Shared by .ci/run and .ci/nightly: a scratch folder, steps that are timed and counted, the README's commands.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv=$work/venv
failed=()
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

step() { # step NAME COMMAND...: run it without input, say how long it took, remember whether it failed
  local name=$1 begin=$SECONDS
  shift
  printf '\n=== %s: %s\n' "$name" "$*"
  if "$@" </dev/null; then
    printf '=== %s: passed in %d s\n' "$name" $((SECONDS - begin))
  else
    failed+=("$name")
    printf '=== %s: FAILED after %d s\n' "$name" $((SECONDS - begin))
    return 1
  fi
}

readme_command() { # readme_command TEXT: run the README's command with TEXT in it, in $venv instead of .venv
  local line
  line=$(grep -F 'python3 -m venv .venv' README.md | grep -m1 -F -- "$1")
  if [ -z "$line" ]; then
    echo "README.md has no set-up command with $1"
    return 1
  fi
  step "README: $line" bash -c "${line//.venv/$venv}"
  [ -x "$venv/bin/python" ]
}

static_checks() {
  step "ruff check" "$venv/bin/ruff" check .
  step "ruff format" "$venv/bin/ruff" format --check .
  step "pyright" "$venv/bin/pyright" --pythonpath "$venv/bin/python"
  step "import contracts" "$venv/bin/lint-imports" --no-cache
}

finish() {
  if [ ${#failed[@]} -gt 0 ]; then
    printf '\nFAILED: %s\n' "${failed[@]}"
    exit 1
  fi
  printf '\nAll steps passed in %d s.\n' "$SECONDS"
}
