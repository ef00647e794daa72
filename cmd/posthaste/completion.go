package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// completeCommand is the hidden sub-command that completeCmd is.
const completeCommand = "complete"

// completionCmd prints a script for a shell.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Which shell: ${enum}."`
}

// completionScripts ask this program what may come next. It answers with lines of a word
// and what it means, with a tab between.
var completionScripts = map[string]string{
	"bash": `# posthaste completion for bash: source <(posthaste completion bash)
_posthaste() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _posthaste posthaste
`,
	"zsh": `#compdef posthaste
# posthaste completion for zsh: source <(posthaste completion zsh)
_posthaste() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done < <("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#found} )); then
    _describe -t values posthaste found
  else
    _files
  fi
}
compdef _posthaste posthaste
`,
	"fish": `# posthaste completion for fish: posthaste completion fish | source
function __posthaste_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c posthaste -a '(__posthaste_complete)'
`,
}

// Run prints the script.
func (c *completionCmd) Run(ctx *kong.Context) error {
	_, err := fmt.Fprint(ctx.Stdout, completionScripts[c.Shell])
	return err
}

// completeCmd tells a shell what may come next. Only the scripts call it.
type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run prints the candidates for the last word.
func (c *completeCmd) Run(ctx *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, found := range complete(ctx.Model.Node, words) {
		if _, err := fmt.Fprintf(ctx.Stdout, "%s\t%s\n", found.word, found.help); err != nil {
			return err
		}
	}
	return nil
}
