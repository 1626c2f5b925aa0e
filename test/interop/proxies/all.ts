import { danteOpen, dantePassword } from './dante.js';
import { microsocks } from './microsocks.js';
import type { Proxy } from './proxy.js';
import { squid } from './squid.js';
import { ssh } from './ssh.js';
import { tinyproxyOpen, tinyproxyPassword } from './tinyproxy.js';

export const PROXIES: readonly Proxy[] = [microsocks, danteOpen, dantePassword, ssh, tinyproxyOpen, tinyproxyPassword, squid];
