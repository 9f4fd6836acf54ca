import { proveParity } from './prove-parity.js';

// One catalog here; `npm run proof` has all four, and with-three-services.test.ts has another one through every service.
proveParity(['nexus']);
