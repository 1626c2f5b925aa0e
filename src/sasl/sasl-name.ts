/** A name within a list that commas separate (RFC 5801 section 4, saslname). */
export const saslName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');
