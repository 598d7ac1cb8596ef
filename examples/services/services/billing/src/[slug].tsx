export const page = "invoice";
