"""Facts of the TensorFlow Lite schema. Made by schema/generate.py; do not edit.

A table's class holds the slot of each field; LAYOUT has one character a slot: a struct
character for a scalar, ``r`` for a reference (string, vector, table or union value).
"""

from typing import Final


class TensorType:
    FLOAT32: Final = 0
    FLOAT16: Final = 1
    INT32: Final = 2
    UINT8: Final = 3
    INT64: Final = 4
    STRING: Final = 5
    BOOL: Final = 6
    INT16: Final = 7
    COMPLEX64: Final = 8
    INT8: Final = 9
    FLOAT64: Final = 10
    COMPLEX128: Final = 11
    UINT64: Final = 12
    RESOURCE: Final = 13
    VARIANT: Final = 14
    UINT32: Final = 15
    UINT16: Final = 16
    INT4: Final = 17
    BFLOAT16: Final = 18
    INT2: Final = 19
    UINT4: Final = 20
    FLOAT8_E4M3FN: Final = 21
    FLOAT8_E5M2: Final = 22


class BuiltinOperator:
    ADD: Final = 0
    AVERAGE_POOL_2D: Final = 1
    CONCATENATION: Final = 2
    CONV_2D: Final = 3
    DEPTHWISE_CONV_2D: Final = 4
    DEPTH_TO_SPACE: Final = 5
    DEQUANTIZE: Final = 6
    EMBEDDING_LOOKUP: Final = 7
    FLOOR: Final = 8
    FULLY_CONNECTED: Final = 9
    HASHTABLE_LOOKUP: Final = 10
    L2_NORMALIZATION: Final = 11
    L2_POOL_2D: Final = 12
    LOCAL_RESPONSE_NORMALIZATION: Final = 13
    LOGISTIC: Final = 14
    LSH_PROJECTION: Final = 15
    LSTM: Final = 16
    MAX_POOL_2D: Final = 17
    MUL: Final = 18
    RELU: Final = 19
    RELU_N1_TO_1: Final = 20
    RELU6: Final = 21
    RESHAPE: Final = 22
    RESIZE_BILINEAR: Final = 23
    RNN: Final = 24
    SOFTMAX: Final = 25
    SPACE_TO_DEPTH: Final = 26
    SVDF: Final = 27
    TANH: Final = 28
    CONCAT_EMBEDDINGS: Final = 29
    SKIP_GRAM: Final = 30
    CALL: Final = 31
    CUSTOM: Final = 32
    EMBEDDING_LOOKUP_SPARSE: Final = 33
    PAD: Final = 34
    UNIDIRECTIONAL_SEQUENCE_RNN: Final = 35
    GATHER: Final = 36
    BATCH_TO_SPACE_ND: Final = 37
    SPACE_TO_BATCH_ND: Final = 38
    TRANSPOSE: Final = 39
    MEAN: Final = 40
    SUB: Final = 41
    DIV: Final = 42
    SQUEEZE: Final = 43
    UNIDIRECTIONAL_SEQUENCE_LSTM: Final = 44
    STRIDED_SLICE: Final = 45
    BIDIRECTIONAL_SEQUENCE_RNN: Final = 46
    EXP: Final = 47
    TOPK_V2: Final = 48
    SPLIT: Final = 49
    LOG_SOFTMAX: Final = 50
    DELEGATE: Final = 51
    BIDIRECTIONAL_SEQUENCE_LSTM: Final = 52
    CAST: Final = 53
    PRELU: Final = 54
    MAXIMUM: Final = 55
    ARG_MAX: Final = 56
    MINIMUM: Final = 57
    LESS: Final = 58
    NEG: Final = 59
    PADV2: Final = 60
    GREATER: Final = 61
    GREATER_EQUAL: Final = 62
    LESS_EQUAL: Final = 63
    SELECT: Final = 64
    SLICE: Final = 65
    SIN: Final = 66
    TRANSPOSE_CONV: Final = 67
    SPARSE_TO_DENSE: Final = 68
    TILE: Final = 69
    EXPAND_DIMS: Final = 70
    EQUAL: Final = 71
    NOT_EQUAL: Final = 72
    LOG: Final = 73
    SUM: Final = 74
    SQRT: Final = 75
    RSQRT: Final = 76
    SHAPE: Final = 77
    POW: Final = 78
    ARG_MIN: Final = 79
    FAKE_QUANT: Final = 80
    REDUCE_PROD: Final = 81
    REDUCE_MAX: Final = 82
    PACK: Final = 83
    LOGICAL_OR: Final = 84
    ONE_HOT: Final = 85
    LOGICAL_AND: Final = 86
    LOGICAL_NOT: Final = 87
    UNPACK: Final = 88
    REDUCE_MIN: Final = 89
    FLOOR_DIV: Final = 90
    REDUCE_ANY: Final = 91
    SQUARE: Final = 92
    ZEROS_LIKE: Final = 93
    FILL: Final = 94
    FLOOR_MOD: Final = 95
    RANGE: Final = 96
    RESIZE_NEAREST_NEIGHBOR: Final = 97
    LEAKY_RELU: Final = 98
    SQUARED_DIFFERENCE: Final = 99
    MIRROR_PAD: Final = 100
    ABS: Final = 101
    SPLIT_V: Final = 102
    UNIQUE: Final = 103
    CEIL: Final = 104
    REVERSE_V2: Final = 105
    ADD_N: Final = 106
    GATHER_ND: Final = 107
    COS: Final = 108
    WHERE: Final = 109
    RANK: Final = 110
    ELU: Final = 111
    REVERSE_SEQUENCE: Final = 112
    MATRIX_DIAG: Final = 113
    QUANTIZE: Final = 114
    MATRIX_SET_DIAG: Final = 115
    ROUND: Final = 116
    HARD_SWISH: Final = 117
    IF: Final = 118
    WHILE: Final = 119
    NON_MAX_SUPPRESSION_V4: Final = 120
    NON_MAX_SUPPRESSION_V5: Final = 121
    SCATTER_ND: Final = 122
    SELECT_V2: Final = 123
    DENSIFY: Final = 124
    SEGMENT_SUM: Final = 125
    BATCH_MATMUL: Final = 126
    PLACEHOLDER_FOR_GREATER_OP_CODES: Final = 127
    CUMSUM: Final = 128
    CALL_ONCE: Final = 129
    BROADCAST_TO: Final = 130
    RFFT2D: Final = 131
    CONV_3D: Final = 132
    IMAG: Final = 133
    REAL: Final = 134
    COMPLEX_ABS: Final = 135
    HASHTABLE: Final = 136
    HASHTABLE_FIND: Final = 137
    HASHTABLE_IMPORT: Final = 138
    HASHTABLE_SIZE: Final = 139
    REDUCE_ALL: Final = 140
    CONV_3D_TRANSPOSE: Final = 141
    VAR_HANDLE: Final = 142
    READ_VARIABLE: Final = 143
    ASSIGN_VARIABLE: Final = 144
    BROADCAST_ARGS: Final = 145
    RANDOM_STANDARD_NORMAL: Final = 146
    BUCKETIZE: Final = 147
    RANDOM_UNIFORM: Final = 148
    MULTINOMIAL: Final = 149
    GELU: Final = 150
    DYNAMIC_UPDATE_SLICE: Final = 151
    RELU_0_TO_1: Final = 152
    UNSORTED_SEGMENT_PROD: Final = 153
    UNSORTED_SEGMENT_MAX: Final = 154
    UNSORTED_SEGMENT_SUM: Final = 155
    ATAN2: Final = 156
    UNSORTED_SEGMENT_MIN: Final = 157
    SIGN: Final = 158
    BITCAST: Final = 159
    BITWISE_XOR: Final = 160
    RIGHT_SHIFT: Final = 161
    STABLEHLO_LOGISTIC: Final = 162
    STABLEHLO_ADD: Final = 163
    STABLEHLO_DIVIDE: Final = 164
    STABLEHLO_MULTIPLY: Final = 165
    STABLEHLO_MAXIMUM: Final = 166
    STABLEHLO_RESHAPE: Final = 167
    STABLEHLO_CLAMP: Final = 168
    STABLEHLO_CONCATENATE: Final = 169
    STABLEHLO_BROADCAST_IN_DIM: Final = 170
    STABLEHLO_CONVOLUTION: Final = 171
    STABLEHLO_SLICE: Final = 172
    STABLEHLO_CUSTOM_CALL: Final = 173
    STABLEHLO_REDUCE: Final = 174
    STABLEHLO_ABS: Final = 175
    STABLEHLO_AND: Final = 176
    STABLEHLO_COSINE: Final = 177
    STABLEHLO_EXPONENTIAL: Final = 178
    STABLEHLO_FLOOR: Final = 179
    STABLEHLO_LOG: Final = 180
    STABLEHLO_MINIMUM: Final = 181
    STABLEHLO_NEGATE: Final = 182
    STABLEHLO_OR: Final = 183
    STABLEHLO_POWER: Final = 184
    STABLEHLO_REMAINDER: Final = 185
    STABLEHLO_RSQRT: Final = 186
    STABLEHLO_SELECT: Final = 187
    STABLEHLO_SUBTRACT: Final = 188
    STABLEHLO_TANH: Final = 189
    STABLEHLO_SCATTER: Final = 190
    STABLEHLO_COMPARE: Final = 191
    STABLEHLO_CONVERT: Final = 192
    STABLEHLO_DYNAMIC_SLICE: Final = 193
    STABLEHLO_DYNAMIC_UPDATE_SLICE: Final = 194
    STABLEHLO_PAD: Final = 195
    STABLEHLO_IOTA: Final = 196
    STABLEHLO_DOT_GENERAL: Final = 197
    STABLEHLO_REDUCE_WINDOW: Final = 198
    STABLEHLO_SORT: Final = 199
    STABLEHLO_WHILE: Final = 200
    STABLEHLO_GATHER: Final = 201
    STABLEHLO_TRANSPOSE: Final = 202
    DILATE: Final = 203
    STABLEHLO_RNG_BIT_GENERATOR: Final = 204
    REDUCE_WINDOW: Final = 205
    STABLEHLO_COMPOSITE: Final = 206
    STABLEHLO_SHIFT_LEFT: Final = 207
    STABLEHLO_CBRT: Final = 208
    STABLEHLO_CASE: Final = 209


class BuiltinOptions:
    Conv2DOptions: Final = 1
    DepthwiseConv2DOptions: Final = 2
    ConcatEmbeddingsOptions: Final = 3
    LSHProjectionOptions: Final = 4
    Pool2DOptions: Final = 5
    SVDFOptions: Final = 6
    RNNOptions: Final = 7
    FullyConnectedOptions: Final = 8
    SoftmaxOptions: Final = 9
    ConcatenationOptions: Final = 10
    AddOptions: Final = 11
    L2NormOptions: Final = 12
    LocalResponseNormalizationOptions: Final = 13
    LSTMOptions: Final = 14
    ResizeBilinearOptions: Final = 15
    CallOptions: Final = 16
    ReshapeOptions: Final = 17
    SkipGramOptions: Final = 18
    SpaceToDepthOptions: Final = 19
    EmbeddingLookupSparseOptions: Final = 20
    MulOptions: Final = 21
    PadOptions: Final = 22
    GatherOptions: Final = 23
    BatchToSpaceNDOptions: Final = 24
    SpaceToBatchNDOptions: Final = 25
    TransposeOptions: Final = 26
    ReducerOptions: Final = 27
    SubOptions: Final = 28
    DivOptions: Final = 29
    SqueezeOptions: Final = 30
    SequenceRNNOptions: Final = 31
    StridedSliceOptions: Final = 32
    ExpOptions: Final = 33
    TopKV2Options: Final = 34
    SplitOptions: Final = 35
    LogSoftmaxOptions: Final = 36
    CastOptions: Final = 37
    DequantizeOptions: Final = 38
    MaximumMinimumOptions: Final = 39
    ArgMaxOptions: Final = 40
    LessOptions: Final = 41
    NegOptions: Final = 42
    PadV2Options: Final = 43
    GreaterOptions: Final = 44
    GreaterEqualOptions: Final = 45
    LessEqualOptions: Final = 46
    SelectOptions: Final = 47
    SliceOptions: Final = 48
    TransposeConvOptions: Final = 49
    SparseToDenseOptions: Final = 50
    TileOptions: Final = 51
    ExpandDimsOptions: Final = 52
    EqualOptions: Final = 53
    NotEqualOptions: Final = 54
    ShapeOptions: Final = 55
    PowOptions: Final = 56
    ArgMinOptions: Final = 57
    FakeQuantOptions: Final = 58
    PackOptions: Final = 59
    LogicalOrOptions: Final = 60
    OneHotOptions: Final = 61
    LogicalAndOptions: Final = 62
    LogicalNotOptions: Final = 63
    UnpackOptions: Final = 64
    FloorDivOptions: Final = 65
    SquareOptions: Final = 66
    ZerosLikeOptions: Final = 67
    FillOptions: Final = 68
    BidirectionalSequenceLSTMOptions: Final = 69
    BidirectionalSequenceRNNOptions: Final = 70
    UnidirectionalSequenceLSTMOptions: Final = 71
    FloorModOptions: Final = 72
    RangeOptions: Final = 73
    ResizeNearestNeighborOptions: Final = 74
    LeakyReluOptions: Final = 75
    SquaredDifferenceOptions: Final = 76
    MirrorPadOptions: Final = 77
    AbsOptions: Final = 78
    SplitVOptions: Final = 79
    UniqueOptions: Final = 80
    ReverseV2Options: Final = 81
    AddNOptions: Final = 82
    GatherNdOptions: Final = 83
    CosOptions: Final = 84
    WhereOptions: Final = 85
    RankOptions: Final = 86
    ReverseSequenceOptions: Final = 87
    MatrixDiagOptions: Final = 88
    QuantizeOptions: Final = 89
    MatrixSetDiagOptions: Final = 90
    HardSwishOptions: Final = 91
    IfOptions: Final = 92
    WhileOptions: Final = 93
    DepthToSpaceOptions: Final = 94
    NonMaxSuppressionV4Options: Final = 95
    NonMaxSuppressionV5Options: Final = 96
    ScatterNdOptions: Final = 97
    SelectV2Options: Final = 98
    DensifyOptions: Final = 99
    SegmentSumOptions: Final = 100
    BatchMatMulOptions: Final = 101
    CumsumOptions: Final = 102
    CallOnceOptions: Final = 103
    BroadcastToOptions: Final = 104
    Rfft2dOptions: Final = 105
    Conv3DOptions: Final = 106
    HashtableOptions: Final = 107
    HashtableFindOptions: Final = 108
    HashtableImportOptions: Final = 109
    HashtableSizeOptions: Final = 110
    VarHandleOptions: Final = 111
    ReadVariableOptions: Final = 112
    AssignVariableOptions: Final = 113
    RandomOptions: Final = 114
    BucketizeOptions: Final = 115
    GeluOptions: Final = 116
    DynamicUpdateSliceOptions: Final = 117
    UnsortedSegmentProdOptions: Final = 118
    UnsortedSegmentMaxOptions: Final = 119
    UnsortedSegmentMinOptions: Final = 120
    UnsortedSegmentSumOptions: Final = 121
    ATan2Options: Final = 122
    SignOptions: Final = 123
    BitcastOptions: Final = 124
    BitwiseXorOptions: Final = 125
    RightShiftOptions: Final = 126


class BuiltinOptions2:
    StablehloConcatenateOptions: Final = 1
    StablehloBroadcastInDimOptions: Final = 2
    StablehloSliceOptions: Final = 3
    StablehloConvolutionOptions: Final = 4
    StablehloCustomCallOptions: Final = 5
    StablehloReduceOptions: Final = 6
    StablehloScatterOptions: Final = 7
    StablehloCompareOptions: Final = 8
    StablehloDynamicSliceOptions: Final = 9
    StablehloPadOptions: Final = 10
    StablehloIotaOptions: Final = 11
    StablehloDotGeneralOptions: Final = 12
    StablehloReduceWindowOptions: Final = 13
    StablehloSortOptions: Final = 14
    StablehloWhileOptions: Final = 15
    StablehloGatherOptions: Final = 16
    StablehloTransposeOptions: Final = 17
    DilateOptions: Final = 18
    StablehloRngBitGeneratorOptions: Final = 19
    ReduceWindowOptions: Final = 20
    StableHLOCompositeOptions: Final = 21
    StablehloShiftLeftOptions: Final = 22
    StablehloCaseOptions: Final = 23


class QuantizationDetails:
    CustomQuantization: Final = 1
    BlockwiseQuantization: Final = 2
    MultiAxisQuantization: Final = 3


class SparseIndexVector:
    Int32Vector: Final = 1
    Uint16Vector: Final = 2
    Uint8Vector: Final = 3


class Model:
    VERSION: Final = 0
    OPERATOR_CODES: Final = 1
    SUBGRAPHS: Final = 2
    DESCRIPTION: Final = 3
    BUFFERS: Final = 4
    METADATA_BUFFER: Final = 5
    METADATA: Final = 6
    SIGNATURE_DEFS: Final = 7
    EXTERNAL_BUFFER_GROUPS: Final = 8
    EXTERNAL_BUFFERS: Final = 9


class OperatorCode:
    DEPRECATED_BUILTIN_CODE: Final = 0
    CUSTOM_CODE: Final = 1
    VERSION: Final = 2
    BUILTIN_CODE: Final = 3


class SubGraph:
    TENSORS: Final = 0
    INPUTS: Final = 1
    OUTPUTS: Final = 2
    OPERATORS: Final = 3
    NAME: Final = 4
    DEBUG_METADATA_INDEX: Final = 5


class Tensor:
    SHAPE: Final = 0
    TYPE: Final = 1
    BUFFER: Final = 2
    NAME: Final = 3
    QUANTIZATION: Final = 4
    IS_VARIABLE: Final = 5
    SPARSITY: Final = 6
    SHAPE_SIGNATURE: Final = 7
    HAS_RANK: Final = 8
    VARIANT_TENSORS: Final = 9
    EXTERNAL_BUFFER: Final = 10


class VariantSubType:
    SHAPE: Final = 0
    TYPE: Final = 1
    HAS_RANK: Final = 2


class Operator:
    OPCODE_INDEX: Final = 0
    INPUTS: Final = 1
    OUTPUTS: Final = 2
    BUILTIN_OPTIONS_TYPE: Final = 3
    BUILTIN_OPTIONS: Final = 4
    CUSTOM_OPTIONS: Final = 5
    CUSTOM_OPTIONS_FORMAT: Final = 6
    MUTATING_VARIABLE_INPUTS: Final = 7
    INTERMEDIATES: Final = 8
    LARGE_CUSTOM_OPTIONS_OFFSET: Final = 9
    LARGE_CUSTOM_OPTIONS_SIZE: Final = 10
    BUILTIN_OPTIONS_2_TYPE: Final = 11
    BUILTIN_OPTIONS_2: Final = 12
    DEBUG_METADATA_INDEX: Final = 13


class Buffer:
    DATA: Final = 0
    OFFSET: Final = 1
    SIZE: Final = 2


class ExternalBufferGroup:
    NAME: Final = 0


class ExternalBuffer:
    ID: Final = 0
    GROUP: Final = 1
    OFFSET: Final = 2
    LENGTH: Final = 3
    PACKING: Final = 4


class Metadata:
    NAME: Final = 0
    BUFFER: Final = 1


class SignatureDef:
    INPUTS: Final = 0
    OUTPUTS: Final = 1
    SIGNATURE_KEY: Final = 2
    TAG: Final = 3
    SUBGRAPH_INDEX: Final = 4


class TensorMap:
    NAME: Final = 0
    TENSOR_INDEX: Final = 1


class QuantizationParameters:
    MIN: Final = 0
    MAX: Final = 1
    SCALE: Final = 2
    ZERO_POINT: Final = 3
    DETAILS_TYPE: Final = 4
    DETAILS: Final = 5
    QUANTIZED_DIMENSION: Final = 6


class SparsityParameters:
    TRAVERSAL_ORDER: Final = 0
    BLOCK_MAP: Final = 1
    DIM_METADATA: Final = 2


class DimensionMetadata:
    FORMAT: Final = 0
    DENSE_SIZE: Final = 1
    ARRAY_SEGMENTS_TYPE: Final = 2
    ARRAY_SEGMENTS: Final = 3
    ARRAY_INDICES_TYPE: Final = 4
    ARRAY_INDICES: Final = 5


class CallOptions:
    SUBGRAPH: Final = 0


class CallOnceOptions:
    INIT_SUBGRAPH_INDEX: Final = 0


class IfOptions:
    THEN_SUBGRAPH_INDEX: Final = 0
    ELSE_SUBGRAPH_INDEX: Final = 1


class WhileOptions:
    COND_SUBGRAPH_INDEX: Final = 0
    BODY_SUBGRAPH_INDEX: Final = 1


class StablehloWhileOptions:
    COND_SUBGRAPH_INDEX: Final = 0
    BODY_SUBGRAPH_INDEX: Final = 1


class StablehloCaseOptions:
    BRANCH_SUBGRAPH_INDICES: Final = 0


class StableHLOCompositeOptions:
    NAME: Final = 0
    DECOMPOSITION_SUBGRAPH_INDEX: Final = 1
    COMPOSITE_ATTRIBUTES: Final = 2
    COMPOSITE_ATTRIBUTES_FORMAT: Final = 3
    VERSION: Final = 4


class VarHandleOptions:
    CONTAINER: Final = 0
    SHARED_NAME: Final = 1


class ReadVariableOptions:
    pass


class AssignVariableOptions:
    pass


class HashtableOptions:
    TABLE_ID: Final = 0
    KEY_DTYPE: Final = 1
    VALUE_DTYPE: Final = 2


TENSOR_TYPE_NAMES: Final[dict[int, str]] = {
    0: "FLOAT32",
    1: "FLOAT16",
    2: "INT32",
    3: "UINT8",
    4: "INT64",
    5: "STRING",
    6: "BOOL",
    7: "INT16",
    8: "COMPLEX64",
    9: "INT8",
    10: "FLOAT64",
    11: "COMPLEX128",
    12: "UINT64",
    13: "RESOURCE",
    14: "VARIANT",
    15: "UINT32",
    16: "UINT16",
    17: "INT4",
    18: "BFLOAT16",
    19: "INT2",
    20: "UINT4",
    21: "FLOAT8_E4M3FN",
    22: "FLOAT8_E5M2",
}

BUILTIN_OPERATOR_NAMES: Final[dict[int, str]] = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    5: "DEPTH_TO_SPACE",
    6: "DEQUANTIZE",
    7: "EMBEDDING_LOOKUP",
    8: "FLOOR",
    9: "FULLY_CONNECTED",
    10: "HASHTABLE_LOOKUP",
    11: "L2_NORMALIZATION",
    12: "L2_POOL_2D",
    13: "LOCAL_RESPONSE_NORMALIZATION",
    14: "LOGISTIC",
    15: "LSH_PROJECTION",
    16: "LSTM",
    17: "MAX_POOL_2D",
    18: "MUL",
    19: "RELU",
    20: "RELU_N1_TO_1",
    21: "RELU6",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    24: "RNN",
    25: "SOFTMAX",
    26: "SPACE_TO_DEPTH",
    27: "SVDF",
    28: "TANH",
    29: "CONCAT_EMBEDDINGS",
    30: "SKIP_GRAM",
    31: "CALL",
    32: "CUSTOM",
    33: "EMBEDDING_LOOKUP_SPARSE",
    34: "PAD",
    35: "UNIDIRECTIONAL_SEQUENCE_RNN",
    36: "GATHER",
    37: "BATCH_TO_SPACE_ND",
    38: "SPACE_TO_BATCH_ND",
    39: "TRANSPOSE",
    40: "MEAN",
    41: "SUB",
    42: "DIV",
    43: "SQUEEZE",
    44: "UNIDIRECTIONAL_SEQUENCE_LSTM",
    45: "STRIDED_SLICE",
    46: "BIDIRECTIONAL_SEQUENCE_RNN",
    47: "EXP",
    48: "TOPK_V2",
    49: "SPLIT",
    50: "LOG_SOFTMAX",
    51: "DELEGATE",
    52: "BIDIRECTIONAL_SEQUENCE_LSTM",
    53: "CAST",
    54: "PRELU",
    55: "MAXIMUM",
    56: "ARG_MAX",
    57: "MINIMUM",
    58: "LESS",
    59: "NEG",
    60: "PADV2",
    61: "GREATER",
    62: "GREATER_EQUAL",
    63: "LESS_EQUAL",
    64: "SELECT",
    65: "SLICE",
    66: "SIN",
    67: "TRANSPOSE_CONV",
    68: "SPARSE_TO_DENSE",
    69: "TILE",
    70: "EXPAND_DIMS",
    71: "EQUAL",
    72: "NOT_EQUAL",
    73: "LOG",
    74: "SUM",
    75: "SQRT",
    76: "RSQRT",
    77: "SHAPE",
    78: "POW",
    79: "ARG_MIN",
    80: "FAKE_QUANT",
    81: "REDUCE_PROD",
    82: "REDUCE_MAX",
    83: "PACK",
    84: "LOGICAL_OR",
    85: "ONE_HOT",
    86: "LOGICAL_AND",
    87: "LOGICAL_NOT",
    88: "UNPACK",
    89: "REDUCE_MIN",
    90: "FLOOR_DIV",
    91: "REDUCE_ANY",
    92: "SQUARE",
    93: "ZEROS_LIKE",
    94: "FILL",
    95: "FLOOR_MOD",
    96: "RANGE",
    97: "RESIZE_NEAREST_NEIGHBOR",
    98: "LEAKY_RELU",
    99: "SQUARED_DIFFERENCE",
    100: "MIRROR_PAD",
    101: "ABS",
    102: "SPLIT_V",
    103: "UNIQUE",
    104: "CEIL",
    105: "REVERSE_V2",
    106: "ADD_N",
    107: "GATHER_ND",
    108: "COS",
    109: "WHERE",
    110: "RANK",
    111: "ELU",
    112: "REVERSE_SEQUENCE",
    113: "MATRIX_DIAG",
    114: "QUANTIZE",
    115: "MATRIX_SET_DIAG",
    116: "ROUND",
    117: "HARD_SWISH",
    118: "IF",
    119: "WHILE",
    120: "NON_MAX_SUPPRESSION_V4",
    121: "NON_MAX_SUPPRESSION_V5",
    122: "SCATTER_ND",
    123: "SELECT_V2",
    124: "DENSIFY",
    125: "SEGMENT_SUM",
    126: "BATCH_MATMUL",
    127: "PLACEHOLDER_FOR_GREATER_OP_CODES",
    128: "CUMSUM",
    129: "CALL_ONCE",
    130: "BROADCAST_TO",
    131: "RFFT2D",
    132: "CONV_3D",
    133: "IMAG",
    134: "REAL",
    135: "COMPLEX_ABS",
    136: "HASHTABLE",
    137: "HASHTABLE_FIND",
    138: "HASHTABLE_IMPORT",
    139: "HASHTABLE_SIZE",
    140: "REDUCE_ALL",
    141: "CONV_3D_TRANSPOSE",
    142: "VAR_HANDLE",
    143: "READ_VARIABLE",
    144: "ASSIGN_VARIABLE",
    145: "BROADCAST_ARGS",
    146: "RANDOM_STANDARD_NORMAL",
    147: "BUCKETIZE",
    148: "RANDOM_UNIFORM",
    149: "MULTINOMIAL",
    150: "GELU",
    151: "DYNAMIC_UPDATE_SLICE",
    152: "RELU_0_TO_1",
    153: "UNSORTED_SEGMENT_PROD",
    154: "UNSORTED_SEGMENT_MAX",
    155: "UNSORTED_SEGMENT_SUM",
    156: "ATAN2",
    157: "UNSORTED_SEGMENT_MIN",
    158: "SIGN",
    159: "BITCAST",
    160: "BITWISE_XOR",
    161: "RIGHT_SHIFT",
    162: "STABLEHLO_LOGISTIC",
    163: "STABLEHLO_ADD",
    164: "STABLEHLO_DIVIDE",
    165: "STABLEHLO_MULTIPLY",
    166: "STABLEHLO_MAXIMUM",
    167: "STABLEHLO_RESHAPE",
    168: "STABLEHLO_CLAMP",
    169: "STABLEHLO_CONCATENATE",
    170: "STABLEHLO_BROADCAST_IN_DIM",
    171: "STABLEHLO_CONVOLUTION",
    172: "STABLEHLO_SLICE",
    173: "STABLEHLO_CUSTOM_CALL",
    174: "STABLEHLO_REDUCE",
    175: "STABLEHLO_ABS",
    176: "STABLEHLO_AND",
    177: "STABLEHLO_COSINE",
    178: "STABLEHLO_EXPONENTIAL",
    179: "STABLEHLO_FLOOR",
    180: "STABLEHLO_LOG",
    181: "STABLEHLO_MINIMUM",
    182: "STABLEHLO_NEGATE",
    183: "STABLEHLO_OR",
    184: "STABLEHLO_POWER",
    185: "STABLEHLO_REMAINDER",
    186: "STABLEHLO_RSQRT",
    187: "STABLEHLO_SELECT",
    188: "STABLEHLO_SUBTRACT",
    189: "STABLEHLO_TANH",
    190: "STABLEHLO_SCATTER",
    191: "STABLEHLO_COMPARE",
    192: "STABLEHLO_CONVERT",
    193: "STABLEHLO_DYNAMIC_SLICE",
    194: "STABLEHLO_DYNAMIC_UPDATE_SLICE",
    195: "STABLEHLO_PAD",
    196: "STABLEHLO_IOTA",
    197: "STABLEHLO_DOT_GENERAL",
    198: "STABLEHLO_REDUCE_WINDOW",
    199: "STABLEHLO_SORT",
    200: "STABLEHLO_WHILE",
    201: "STABLEHLO_GATHER",
    202: "STABLEHLO_TRANSPOSE",
    203: "DILATE",
    204: "STABLEHLO_RNG_BIT_GENERATOR",
    205: "REDUCE_WINDOW",
    206: "STABLEHLO_COMPOSITE",
    207: "STABLEHLO_SHIFT_LEFT",
    208: "STABLEHLO_CBRT",
    209: "STABLEHLO_CASE",
}

LAYOUT: Final[dict[str, str]] = {
    "Model": "Irrrrrrrrr",
    "OperatorCode": "brii",
    "SubGraph": "rrrrri",
    "Tensor": "rbIrr?rr?rI",
    "VariantSubType": "rb?",
    "Operator": "IrrBrrbrrQQBri",
    "Buffer": "rQQ",
    "ExternalBufferGroup": "r",
    "ExternalBuffer": "IIQQr",
    "Metadata": "rI",
    "SignatureDef": "rrrrI",
    "TensorMap": "rI",
    "QuantizationParameters": "rrrrBri",
    "SparsityParameters": "rrr",
    "DimensionMetadata": "biBrBr",
    "CallOptions": "I",
    "CallOnceOptions": "i",
    "IfOptions": "ii",
    "WhileOptions": "ii",
    "StablehloWhileOptions": "ii",
    "StablehloCaseOptions": "r",
    "StableHLOCompositeOptions": "rirbi",
    "VarHandleOptions": "rr",
    "ReadVariableOptions": "",
    "AssignVariableOptions": "",
    "HashtableOptions": "ibb",
}
