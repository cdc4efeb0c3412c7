export { ERRORS, type ErrorCode } from "./errors/catalogue.js";
export { errorCodeOf, isErrorCode, SojournError } from "./errors/sojourn-error.js";
export { LIMITS, type Limits, resolveLimits } from "./limits/catalogue.js";
