// What to tell a person about each error the core knows: a title and what to do. A code added to
// the contract without words here does not compile.
import { environmentsAdvice } from './advice-environments.ts';
import { vpsAdvice } from './advice-vps.ts';
import type { ErrorCode } from '../../../src-main/contract/error-codes.ts';
import { filesAdvice } from './files-advice.ts';

export interface Advice {
  title: string;
  /** What the person can do about it. */
  todo: string;
}

export const advice = {
  ...vpsAdvice,
  ...environmentsAdvice,
  ...filesAdvice,
  'input/invalid': {
    title: 'Something in this is not valid',
    todo: 'Correct the field that is named and send it again.',
  },
  'input/unknown-field': {
    title: 'The core does not know a field of this',
    todo: 'The app and the core may be of different versions: reload the page.',
  },
  'not-found/task': {
    title: 'There is no such task',
    todo: 'It may have been removed. Look for it in Tasks.',
  },
  'not-found/node': {
    title: 'There is no such node',
    todo: 'It may have been removed or renamed. Look for it in Nodes.',
  },
  'not-found/setting': {
    title: 'There is no such setting',
    todo: 'The app and the core may be of different versions: reload the page.',
  },
  'not-found/log': {
    title: 'There is no log here',
    todo: 'The task may not have started, or its log was removed with age.',
  },
  'ambiguous/id': {
    title: 'Several things answer to this',
    todo: 'Give more of the ID, or the whole of it.',
  },
  'conflict/name-taken': { title: 'This name is taken', todo: 'Choose another name.' },
  'conflict/already-added': {
    title: 'This machine is a node already',
    todo: 'Open it in Nodes, or rename it there.',
  },
  'conflict/state': {
    title: 'Not possible in its present state',
    todo: 'Look at its state; it may have changed a moment ago.',
  },
  'conflict/node-in-use': {
    title: 'There is work on this node',
    todo: 'Wait for it, move or end it, or remove the node anyway and leave the work behind.',
  },
  'auth/required': {
    title: 'Sign in first',
    todo: 'Open the address that `kohakuriver serve` printed: it carries the token.',
  },
  'auth/forbidden': { title: 'Not allowed', todo: 'Ask whoever runs this core.' },
  'core/unavailable': {
    title: 'The core does not answer',
    todo: 'It is tried again by itself. If it stays away, start it with `kohakuriver serve`.',
  },
  'core/protocol': {
    title: 'The app and the core do not understand each other',
    todo: 'Reload the page; if that does not help, update both to the same version.',
  },
  'core/stopping': {
    title: 'The core is stopping',
    todo: 'Work on the nodes goes on. Start the core again to go on here.',
  },
  'target/syntax': {
    title: 'This target cannot be read',
    todo: 'Write it as node, node:numa, node::gpu,gpu or node:numa::gpu,gpu.',
  },
  'target/unknown-node': {
    title: 'No node has this name',
    todo: 'Choose one in the picker, or look at the names in Nodes.',
  },
  'target/unknown-gpu': {
    title: 'The node has no such GPU',
    todo: 'Choose one in the picker: it shows the GPUs that are there.',
  },
  'target/unknown-numa': {
    title: 'The node has no such NUMA node',
    todo: 'Choose one in the picker: it shows the NUMA nodes that are there.',
  },
  'task/never-fits': {
    title: 'No node could ever run this',
    todo: 'Ask for less, add a node that is large enough, or submit it on hold.',
  },
  'task/illegal-transition': {
    title: 'The task cannot do this now',
    todo: 'Its status has changed meanwhile. Look at it again.',
  },
  'task/no-runtime': {
    title: 'The node cannot run this kind of task',
    todo: 'See the node’s findings for what is missing, or choose another runtime.',
  },
  'not-found/batch': {
    title: 'There is no such batch',
    todo: 'Look at the list of batches; it may have been removed with its tasks.',
  },
  'task/cycle': {
    title: 'Tasks would wait for each other',
    todo: 'Leave out one of the dependencies that are named.',
  },
  'task/never-runs': {
    title: 'What it waits for has already ended the wrong way',
    todo: 'Wait for another task, or for any end of it.',
  },
  'task/not-ended': { title: 'The task has not ended', todo: 'Wait for it or kill it first.' },
  'link/unreachable': {
    title: 'The host cannot be reached',
    todo: 'Check the address, that the machine is on, and the network or VPN between.',
  },
  'link/refused': {
    title: 'The host refuses the connection',
    todo: 'Check the port and that sshd is running there.',
  },
  'link/timeout': {
    title: 'The host does not answer',
    todo: 'Check the address and any firewall between; a slow host may need a longer connect timeout.',
  },
  'link/auth': {
    title: 'The host does not let us in',
    todo: 'Check the user, then offer a key or a password it accepts.',
  },
  'link/key-unreadable': {
    title: 'The key file cannot be read',
    todo: 'Check its path and rights on the computer that runs the core.',
  },
  'link/key-passphrase': {
    title: 'The key needs its passphrase',
    todo: 'Type the passphrase, or load the key into your SSH agent.',
  },
  'link/host-key-changed': {
    title: 'The host’s key has changed',
    todo: 'Someone may be in between. Ask whoever runs the host; only if it was reinstalled, remove the old key from known_hosts.',
  },
  'link/host-key-unknown': {
    title: 'The host’s key is not known yet',
    todo: 'Compare the fingerprint with the host’s own and confirm it.',
  },
  'link/host-key-revoked': {
    title: 'The host’s key is revoked',
    todo: 'Do not connect. Ask whoever runs the host for its new key.',
  },
  'link/channel-refused': {
    title: 'The host opens no further channel',
    todo: 'Raise MaxSessions in its sshd_config, or allow forwarding there.',
  },
  'link/command-failed': {
    title: 'A command failed on the node',
    todo: 'The details say which and what it answered.',
  },
  'link/command-timeout': {
    title: 'A command on the node took too long',
    todo: 'The node may be overloaded. It is tried again.',
  },
  'link/shell-hangs': {
    title: 'The login shell hangs',
    todo: 'Look for something in .bashrc or .profile there that waits for input.',
  },
  'link/lost': {
    title: 'The connection was lost',
    todo: 'It comes back by itself; work on the node goes on.',
  },
  'link/config': {
    title: 'The SSH configuration cannot be used',
    todo: 'Correct the line that is named, or give the host without ~/.ssh/config.',
  },
  'link/unsupported': {
    title: 'This way of connecting is not supported',
    todo: 'Use a key file, an agent or a password, and jump hosts instead of ProxyCommand.',
  },
  'link/file-not-found': { title: 'There is no such file on the node', todo: 'Check the path.' },
  'link/file-denied': {
    title: 'The node denies access to the file',
    todo: 'Check its owner and rights.',
  },
  'link/file-exists': {
    title: 'The file is there already',
    todo: 'Choose another name, or remove it first.',
  },
  'link/disk-full': { title: 'The node’s disk is full', todo: 'Free space there.' },
  'link/file-failed': {
    title: 'The file operation failed',
    todo: 'The details say what the node answered.',
  },
  'docker/connection': {
    title: 'Docker does not answer on the node',
    todo: 'Check that the Docker service runs there.',
  },
  'docker/denied': {
    title: 'No right to use Docker',
    todo: 'Add the user to the docker group there and connect again.',
  },
  'docker/absent': {
    title: 'There is no Docker on the node',
    todo: 'Install it, or run the task as a process.',
  },
  'docker/container-not-found': {
    title: 'The container is gone',
    todo: 'Someone removed it outside of KohakuRiver. Submit the task again.',
  },
  'docker/container-creation': {
    title: 'The container could not be made',
    todo: 'The details have Docker’s reason; correct the task and submit it again.',
  },
  'docker/container-execution': {
    title: 'The container could not be run',
    todo: 'The details have Docker’s reason.',
  },
  'docker/start-unknown': {
    title: 'Docker broke off while it started the container',
    todo: 'Submit the task again. When it happens again, restart Docker on the node.',
  },
  'docker/command-not-found': {
    title: 'The command is not in the image',
    todo: 'Check its spelling, or choose an image that has it.',
  },
  'docker/name-taken': {
    title: 'The container’s name is taken',
    todo: 'Something else on the node uses it. Remove that first.',
  },
  'docker/image-not-found': { title: 'There is no such image', todo: 'Check the name and tag.' },
  'docker/image-denied': {
    title: 'The registry refuses the image',
    todo: 'Add an account for the registry in Settings, or check the name.',
  },
  'docker/image-pull': {
    title: 'The image could not be pulled',
    todo: 'Check the node’s way to the registry and submit the task again.',
  },
  'docker/image-build': {
    title: 'The image could not be built',
    todo: 'The details say at which step.',
  },
  'docker/image-export': {
    title: 'The image could not be exported',
    todo: 'Check the disk space on the node.',
  },
  'docker/image-import': {
    title: 'The image could not be imported',
    todo: 'Check that the file is whole.',
  },
  'docker/resource-allocation': {
    title: 'Docker cannot give what was asked',
    todo: 'See the node’s findings: the GPU toolkit or a limit may be missing.',
  },
  'docker/disk-full': {
    title: 'Docker’s disk is full',
    todo: 'Free space on the node, for instance with `docker system prune`.',
  },
  'process/unsupported': {
    title: 'No processes on this node',
    todo: 'Use an image, or a node with Linux.',
  },
  'process/creation': {
    title: 'The process could not be started',
    todo: 'The details say why; check the working directory and the user.',
  },
  'process/not-found': {
    title: 'The process is gone without a trace',
    todo: 'The node may have been restarted. Submit the task again.',
  },
  'process/disk-full': {
    title: 'The node’s disk is full',
    todo: 'Free space there and submit the task again.',
  },
  'store/locked': {
    title: 'Another core uses this data directory',
    todo: 'Use that one, or stop it first.',
  },
  'store/newer-database': { title: 'The data is from a newer version', todo: 'Update this core.' },
  'store/corrupt': {
    title: 'The database is damaged',
    todo: 'Restore the last backup; the log of the core has the details.',
  },
  'store/disk-full': {
    title: 'The disk of the core is full',
    todo: 'Free space on the computer that runs the core.',
  },
  'store/failed': {
    title: 'The core could not store this',
    todo: 'Nothing was changed. The core’s log has the details.',
  },
  'store/log-corrupt': {
    title: 'A stored log is damaged',
    todo: 'What can be read is shown; the gap is marked.',
  },
  'vault/locked': { title: 'The vault is locked', todo: 'Unlock it with its passphrase.' },
  'vault/unreadable': {
    title: 'The vault cannot be read',
    todo: 'Its key may have changed. Enter the secrets again.',
  },
  'vault/unavailable': {
    title: 'Secrets cannot be kept here',
    todo: 'Start the core with a passphrase or key file for its vault.',
  },
  'settings/invalid': {
    title: 'This value is not allowed',
    todo: 'The message names the allowed range.',
  },
  'settings/file': {
    title: 'The settings file cannot be used',
    todo: 'Correct config.yaml at the place that is named.',
  },
  'not-found/terminal': {
    title: 'The terminal is gone',
    todo: 'Open a new one; terminals live as long as their core.',
  },
  'terminal/unavailable': {
    title: 'A terminal cannot be opened there now',
    todo: 'The message says what has to run first.',
  },
  'not-found/reservation': {
    title: 'There is no such reservation',
    todo: 'It may be over, or somebody removed it.',
  },
  'conflict/reserved': {
    title: 'It is reserved already',
    todo: 'Choose another time, another node or other GPUs, or have the other reservation removed.',
  },
  'not-found/forward': {
    title: 'There is no such forward',
    todo: 'The list of forwards has those that are kept.',
  },
  'forward/port-taken': {
    title: 'The port is taken',
    todo: 'Choose another port, or none: a free one is then found.',
  },
  'forward/forbidden': {
    title: 'The node forbids forwarding',
    todo: 'Its SSH server needs AllowTcpForwarding yes.',
  },
  'forward/unsupported': {
    title: 'This cannot be forwarded',
    todo: 'The message says what is missing, and what can be done instead.',
  },
  'forward/no-udp': {
    title: 'Nothing on the node can send UDP',
    todo: 'Install perl or python3 on the node, then add the forward again.',
  },
  'forward/ssh-config': {
    title: 'The SSH configuration could not be written',
    todo: 'See who may write the files that are named, on the computer the core runs on.',
  },
  'terminal/no-shell': {
    title: 'There is no shell in this container',
    todo: 'Look at its log, or run one of its own programs.',
  },
  'internal/unexpected': {
    title: 'Something unexpected went wrong',
    todo: 'The core’s log has the full story under the incident number.',
  },
} as const satisfies Record<ErrorCode, Advice>;
