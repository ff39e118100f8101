/** Commands that people paste with what they printed: `$ lspci -vvv | grep ACSCtl`, `root@host:~# dmesg`, `4. lspci -s c1:00.0 -vvv`. */

const PROMPT =
  /^\s{0,8}(?:\(\w[\w.-]{0,40}\) )?(?:\[?[\w.+-]{1,40}@[\w.-]{1,64}[^$#%>]{0,120}[$#%>]|\[[\w.-]{1,64}[^\][]{0,60}\][#$]|[$%\u276f\u279c]|PS [A-Z]:[^>]{0,120}>|[\w.-]{1,40}[#$]) {0,3}(?=[^\s=])/;

/** A command that is written without a prompt: numbered, as a comment, or alone. */
const BARE =
  /^\s{0,8}(?:#{1,4} ?|[-*] |\d{1,2}[.)] ?)?`{0,2}(?=(?:sudo |\/usr\/\S{1,80}\/|\.\/)?(?:lspci|setpci|dmesg|journalctl|nvidia-smi|rocm-smi|amd-smi|cat|grep|find|ls|uname|lscpu|gdsio|gdscheck|lstopo|ib_\w{1,30}|numactl)\b[ `])/;

/** What stands behind a prompt; null where there is none. Two prompts in a row are one. */
export function promptedCommand(text: string): string | null {
  const first = behind(PROMPT, text);
  return first === null ? null : (behind(PROMPT, first) ?? first);
}

/** A command with or without a prompt; null where the line looks like none. */
export function commandOf(text: string): string | null {
  return promptedCommand(text) ?? behind(BARE, text);
}

function behind(pattern: RegExp, text: string): string | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const command = text
    .slice(match[0].length)
    .replace(/`{1,2}$/, '')
    .trim();
  return command === '' ? null : command;
}
