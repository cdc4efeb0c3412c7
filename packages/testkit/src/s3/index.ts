export { Bucket, type BucketPage, type KeptObject } from "./bucket.js";
export { type S3Fault, type S3Request, S3Server, type S3ServerOptions } from "./s3-server.js";
