import ApusGraph
import Foundation

extension WordPieceTokenizer {
    /// From vocab.txt, a piece a line.
    public init(vocabularyFile path: String, _ options: Options = Options()) throws(ApusError) {
        guard let text = String(validating: try FileBytes.data(path), as: UTF8.self) else { throw .file("\(path): not UTF-8") }
        try self.init(vocabulary: text.fileLines, options)
    }

    /// From tokenizer.json of the library `tokenizers`, if it is of WordPiece as BERT's.
    public init(tokenizer path: String, maximumTokens: Int = Options().maximumTokens) throws(ApusError) {
        let file = try TokenizerFile.read(path, of: "WordPiece"), model = file.model
        try TokenizerFile.require("normalizer", file.normalizer?.type, ["BertNormalizer"], path)
        try TokenizerFile.require("clean_text", file.normalizer?.cleanText, [nil, true], path)
        try TokenizerFile.require("pre_tokenizer", file.preTokenizer?.type, ["BertPreTokenizer"], path)
        try TokenizerFile.require("unk_token", model.unkToken, [nil, "[UNK]"], path)
        try TokenizerFile.require("continuing_subword_prefix", model.continuingSubwordPrefix, [nil, "##"], path)
        try TokenizerFile.require("max_input_chars_per_word", model.maxInputCharsPerWord, [nil, 100], path)
        let added = file.addedTokens ?? []
        for token in added {
            let name = token.content.debugDescription
            try TokenizerFile.require("normalized of added token \(name)", token.normalized, [nil, false], path)
            guard model.vocab[token.content] != nil || WordPieceTokenizer.isNoPiece(token.content) else {
                throw .unsupported("\(path): added token \(name) not in the vocabulary, wanted one with punctuation in it")
            }
        }
        var options = Options()
        options.lowercase = file.normalizer?.lowercase ?? true
        options.stripsAccents = file.normalizer?.stripAccents ?? options.lowercase
        options.splitsChinese = file.normalizer?.handleChineseChars ?? true
        options.maximumTokens = maximumTokens
        try self.init(vocabulary: try file.vocabulary(path), special: added.map { $0.content }, options)
    }
}
