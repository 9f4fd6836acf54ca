import { proveParity } from '../parity/prove-parity.js';

proveParity(['fleetprompt', 'frontier', 'chatbot', 'nexus']);
