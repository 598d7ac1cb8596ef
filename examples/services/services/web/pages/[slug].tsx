export const page = "item";
