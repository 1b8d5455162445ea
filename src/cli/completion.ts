import type { Command, Option } from 'commander';
import { CommandError, EXIT } from './exit-code.ts';
import { writeOut } from './standard-output.ts';

/** A command, as a completion sees it: the words before it, and what may follow. */
type Place = {
  /** `rollout get`; empty for the program. */
  readonly words: string;
  readonly commands: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly text: string;
    /** What follows the option: nothing, any text, a file, or one of some words. */
    readonly value: 'none' | 'text' | 'file' | readonly string[];
  }[];
};

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/**
 * `understudy completion bash|zsh|fish`: a script for the shell to load. It holds all words, so that completing one starts no
 * process.
 *
 * @throws CommandError `usage` for another shell.
 */
export function completion(program: Command, shell: string): void {
  if (!isShell(shell)) {
    const message = `expected bash, zsh or fish, found "${shell}"`;
    throw new CommandError(EXIT.usage, message);
  }
  writeOut(SHELLS[shell](placesOf(program)));
}

function isShell(shell: string): shell is keyof typeof SHELLS {
  return Object.hasOwn(SHELLS, shell);
}

/** All commands of a program. */
function placesOf(program: Command, words: readonly string[] = []): readonly Place[] {
  const commands = program.commands.map((inner) => ({
    name: inner.name(),
    text: inner.description(),
  }));
  const help = {
    flags: ['-h', '--help'],
    text: 'display help for command',
    value: 'none',
  } as const;
  const place: Place = {
    words: words.join(' '),
    commands,
    options: [...program.options.map(optionOf), help],
  };
  return [place, ...program.commands.flatMap((inner) => placesOf(inner, [...words, inner.name()]))];
}

const FORMATS = ['table', 'wide', 'json', 'yaml'];

function optionOf(option: Option): Place['options'][number] {
  const flags = [option.short, option.long].filter((flag) => typeof flag === 'string');
  return { flags, text: option.description, value: followerOf(option) };
}

function followerOf({ flags, required, optional }: Option): Place['options'][number]['value'] {
  if (!required && !optional) return 'none';
  if (flags.endsWith('<format>')) return FORMATS;
  return /<(file|folder)>$/.test(flags) ? 'file' : 'text';
}

/** What of an option or command a shell's quotes hold. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function flagsOf({ options }: Place, isMeant: (value: unknown) => boolean): string {
  return options
    .filter(({ value }) => isMeant(value))
    .flatMap(({ flags }) => flags)
    .join(' ');
}

/** Of each place: its commands, its options, and the options that a value follows. */
function bashScript(places: readonly Place[]): string {
  const cases = places.map((place) => {
    const commands = place.commands.map(({ name }) => name).join(' ');
    const valued = (value: unknown): boolean => value !== 'none';
    return `    ${quoted(place.words)})
      commands=${quoted(commands)}
      options=${quoted(flagsOf(place, () => true))}
      files=${quoted(flagsOf(place, (value) => value === 'file'))}
      formats=${quoted(flagsOf(place, Array.isArray))}
      valued=${quoted(flagsOf(place, valued))} ;;`;
  });
  return `# bash completion of understudy. Load it with: source <(understudy completion bash)
_understudy_place() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}

_understudy() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local place='' word at skip=0 commands options files formats valued
  _understudy_place ''
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    if ((skip)); then skip=0; continue; fi
    case " $valued " in *" $word "*) skip=1; continue ;; esac
    case " $commands " in
      *" $word "*) place="\${place:+$place }$word"; _understudy_place "$place" ;;
    esac
  done
  COMPREPLY=()
  case " $formats " in
    *" $previous "*) COMPREPLY=($(compgen -W ${quoted(FORMATS.join(' '))} -- "$current")); return ;;
  esac
  case " $files " in
    *" $previous "*) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case " $valued " in *" $previous "*) return ;; esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
    if ((\${#COMPREPLY[@]} == 0)); then compopt -o default 2>/dev/null; fi
  fi
}

complete -F _understudy understudy
`;
}

/** zsh knows how to run a function that is written for bash. */
function zshScript(places: readonly Place[]): string {
  return `#compdef understudy
# zsh completion of understudy. Load it with: source <(understudy completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bashScript(places).split('\n').slice(1).join('\n')}`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const words = place.words.split(' ').filter((word) => word !== '');
    const names = place.commands.map(({ name }) => name).join(' ');
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const before = names === '' ? [] : [`not __fish_seen_subcommand_from ${names}`];
    const inside = seen.length === 0 ? [] : ['-n', quoted(seen.join('; and '))];
    const next = [...seen, ...before].join('; and ');
    return [
      ...place.commands.map(
        ({ name, text }) =>
          `complete -c understudy -f -n ${quoted(next)} -a ${name} -d ${quoted(text)}`,
      ),
      ...place.options.map((option) =>
        ['complete -c understudy', ...inside, fishOption(option)].join(' '),
      ),
    ];
  });
  const head = '# fish completion of understudy. Load it with: understudy completion fish | source';
  return `${[head, ...lines].join('\n')}\n`;
}

function fishOption({ flags, text, value }: Place['options'][number]): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const follows = { none: [], text: ['-x'], file: ['-r', '-F'] } as const;
  const values = typeof value === 'string' ? follows[value] : ['-x', '-a', quoted(value.join(' '))];
  return [...names, ...values, '-d', quoted(text)].join(' ');
}
